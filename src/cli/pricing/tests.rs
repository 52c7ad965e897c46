//! What is read from files of prices, and what is refused.

use super::import::prices;
use crate::store::NewPrice;

const TODAY: &str = "2026-11-24";

fn read(text: &str) -> Result<Vec<NewPrice>, Vec<String>> {
    prices(text, TODAY)
}

fn micros(new: &NewPrice) -> (i64, i64) {
    (new.price.input.as_micros(), new.price.output.as_micros())
}

#[test]
fn csv_and_json_give_the_same_prices_digit_for_digit() {
    let csv = "model_name,provider,input_price_per_1m,output_price_per_1k,effective_date,notes\n\
               m,P,1.25,0.000001,2027-01-01,\"list, of prices\"\n\
               n,P,0.075,9999.999999,,\n";
    let json = r#"[{"model_name":"m","provider":"P","input_price_per_1m":1.25,"output_price_per_1k":"0.000001",
        "effective_date":"2027-01-01","notes":"list, of prices"},
        {"model_name":"n","provider":"P","input_price_per_1m":0.0750,"output_price_per_1k":9999.999999}]"#;
    let (csv, json) = (read(csv).expect("prices"), read(json).expect("prices"));
    assert_eq!(csv, json);
    assert_eq!(micros(&csv[0]), (1_250, 1));
    assert_eq!(micros(&csv[1]), (75, 9_999_999_999));
    assert_eq!(csv[0].price.from, "2027-01-01");
    assert_eq!(csv[0].notes.as_deref(), Some("list, of prices"));
    assert_eq!(csv[1].price.from, TODAY);
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let csv = "model_name,provider,input_price_per_1k,output_price_per_1k,effective_date\n\
               m,P,1,1,2026-02-30\n\
               ,P,1,1,\n\
               m,P,1e-3,1,\n\
               m,P,-1,1,\n\
               m,P,0.0000001,1,\n\
               m,P,1\n\
               n,P,1,1,\n\
               N,p,2,2,\n\
               m,P,10000,1,\n";
    let mistakes = read(csv).expect_err("mistakes");
    let starts = [
        "line 2: effective_date: '2026-02-30' is no day",
        "line 3: model_name is missing",
        "line 4: input_price_per_1k: '1e-3'",
        "line 5: input_price_per_1k: '-1'",
        "line 6: input_price_per_1k: '0.0000001'",
        "line 7: 3 values where the header has 5",
        "line 9: the same model, provider and day as line 8",
        "line 10: input_price_per_1k: '10000' is more",
    ];
    assert_eq!(mistakes.len(), starts.len(), "{mistakes:#?}");
    for (mistake, start) in mistakes.iter().zip(starts) {
        assert!(mistake.starts_with(start), "{mistake}");
    }
    for (text, start) in [
        (
            "model,provider\nm,P\n",
            "line 1: unknown column 'model'; valid: model_name",
        ),
        ("", "there are no prices"),
        ("[]", "there are no prices"),
        ("[1]", "entry 1: an object"),
        ("{", "it is no JSON list"),
        (
            r#"[{"model_name":["m"]}]"#,
            "entry 1: model_name: a text or a number",
        ),
        (
            r#"[{"model_name":"m","provider":"P","input_price_per_1k":1,"input_price_per_1m":1,"output_price_per_1k":1}]"#,
            "entry 1: input_price_per_1k and input_price_per_1m are not the same",
        ),
    ] {
        let mistakes = read(text).expect_err(text);
        assert!(mistakes[0].starts_with(start), "{mistakes:?}");
    }
}
