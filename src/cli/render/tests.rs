//! Tables on terminals of all kinds, and choosing columns; with rows made up here.

use super::*;
use crate::cli::tests::view;

struct Row(&'static str, &'static str, i64);

const COLUMNS: &[Column<Row>] = &[
    Column {
        name: "id",
        header: "ID",
        fit: Fit::Keep,
        value: |row| Field::text(Some(row.0)),
    },
    Column {
        name: "note",
        header: "NOTE",
        fit: Fit::Shrink(8),
        value: |row| Field::text(Some(row.1)),
    },
    Column {
        name: "word",
        header: "WORD",
        fit: Fit::Keep,
        value: |_| Field::Word("good".to_owned(), Tone::Good),
    },
    Column {
        name: "count",
        header: "COUNT",
        fit: Fit::Drop(1),
        value: |row| Field::Int(row.2),
    },
    Column {
        name: "two_words",
        header: "TWO",
        fit: Fit::Keep,
        value: |_| Field::Empty,
    },
];

const ROWS: &[Row] = &[
    Row("aaaaaaaa-1", "a note of some length", 7),
    Row("bbbbbbbb-2", "évil\u{1b}[2J", 1_000),
];

fn answer(rows: &[Row]) -> Answer<List<'_, i64>, ()> {
    Answer {
        data: List(&[]),
        meta: (),
        facts: Vec::new(),
        grid: Grid::new(
            COLUMNS,
            &["id", "note", "word", "count"],
            &["two_words"],
            rows,
        )
        .with_id("id"),
        footer: Vec::new(),
        notes: Vec::new(),
    }
}

fn printed(view: &View) -> String {
    let rendered = render(&answer(ROWS), view).expect("rendered");
    String::from_utf8(rendered.out).expect("UTF-8")
}

#[test]
fn off_a_terminal_nothing_is_cut_and_escapes_are_shown() {
    assert_eq!(
        printed(&view(Format::Table)),
        "ID          NOTE                   WORD  COUNT\n\
         aaaaaaaa-1  a note of some length  good      7\n\
         bbbbbbbb-2  évil\\x1b[2J            good   1000\n"
    );
}

#[test]
fn on_a_terminal_texts_are_cut_and_marked_as_cut() {
    let mut narrow = view(Format::Table);
    narrow.width = Some(37);
    assert_eq!(
        printed(&narrow),
        "ID          NOTE          WORD  COUNT\n\
         aaaaaaaa-1  a note of s…  good      7\n\
         bbbbbbbb-2  évil\\x1b[2J   good   1000\n"
    );
    narrow.utf8 = false;
    assert!(
        printed(&narrow).contains("a note of..."),
        "{}",
        printed(&narrow)
    );
}

#[test]
fn columns_left_out_are_named() {
    let mut narrow = view(Format::Table);
    narrow.width = Some(30);
    let rendered = render(&answer(ROWS), &narrow).expect("rendered");
    let table = String::from_utf8(rendered.out).expect("UTF-8");
    assert!(
        !table.contains("COUNT") && table.lines().all(|line| line.chars().count() <= 30),
        "{table}"
    );
    assert_eq!(
        rendered.notes,
        ["this terminal is too narrow for: count (-o wide or --columns shows them)"]
    );
    for format in [Format::Wide, Format::Table] {
        let mut asked = narrow.clone();
        asked.format = format;
        asked.columns =
            (format == Format::Table).then(|| vec!["count".to_owned(), "note".to_owned()]);
        assert!(printed(&asked).contains("COUNT"));
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let mut coloured = view(Format::Table);
    coloured.colour = true;
    let text = printed(&coloured);
    assert!(text.contains("\u{1b}[32mgood\u{1b}[0m"), "{text:?}");
    let plain = text.replace("\u{1b}[32m", "").replace("\u{1b}[0m", "");
    assert_eq!(plain, printed(&view(Format::Table)));
}

#[test]
fn columns_are_chosen_by_name_and_a_wrong_one_lists_them() {
    let mut chosen = view(Format::Csv);
    chosen.columns = Some(vec![
        "count".to_owned(),
        "Two-Words".to_owned(),
        "id".to_owned(),
    ]);
    assert_eq!(
        printed(&chosen),
        "count,two_words,id\n7,,aaaaaaaa-1\n1000,,bbbbbbbb-2\n"
    );
    chosen.headers = false;
    assert_eq!(printed(&chosen), "7,,aaaaaaaa-1\n1000,,bbbbbbbb-2\n");
    chosen.columns = Some(vec!["cuont".to_owned()]);
    let error = render(&answer(&[]), &chosen).expect_err("no such column");
    assert!(
        format!("{error:?}").contains("id, note, word, count, two_words"),
        "{error:?}"
    );
}

#[test]
fn quiet_prints_ids_and_csv_quotes_what_must_be() {
    let mut quiet = view(Format::Table);
    quiet.ids_only = true;
    quiet.width = Some(5);
    assert_eq!(printed(&quiet), "aaaaaaaa-1\nbbbbbbbb-2\n");
    let tricky = [Row("x", "a,\"b\"\nc", 0)];
    let csv = render(&answer(&tricky), &view(Format::Csv))
        .expect("CSV")
        .out;
    let csv = String::from_utf8(csv).expect("UTF-8");
    assert_eq!(
        csv,
        "id,note,word,count,two_words\nx,\"a,\"\"b\"\"\nc\",good,0,\n"
    );
}

#[test]
fn without_rows_there_is_no_table() {
    assert_eq!(
        render(&answer(&[]), &view(Format::Table)).expect("nothing"),
        Rendered::default()
    );
}
