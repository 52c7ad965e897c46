//! Tables for people: a header, aligned columns, no borders; facts above, sentences below.

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, Width, presets,
};

use super::human::{is_number, show};
use super::layout::{GAP, Wish, fit};
use super::{Answer, Field, Fit, Format, Grid, Rendered, Tone, View, escape};

/// Start and end of a colour, as characters without width. The table is laid out with these in place, because escape
/// sequences would be measured as text; they are swapped afterwards. `escape` lets none of them in from outside.
const MARKS: [(char, &str); 5] = [
    ('\u{2061}', "\u{1b}[32m"),
    ('\u{2062}', "\u{1b}[33m"),
    ('\u{2063}', "\u{1b}[31m"),
    ('\u{2064}', "\u{1b}[2m"),
    (END, "\u{1b}[0m"),
];
const END: char = '\u{2060}';

const fn mark(tone: Tone) -> char {
    match tone {
        Tone::Good => '\u{2061}',
        Tone::Warn => '\u{2062}',
        Tone::Bad => '\u{2063}',
        Tone::Faint => '\u{2064}',
    }
}

pub(super) fn render<D, M>(answer: &Answer<D, M>, chosen: Vec<usize>, view: &View) -> Rendered {
    let grid = &answer.grid;
    let mut notes = answer.notes.clone();
    let mut out = String::new();
    if let (true, Some(id)) = (view.ids_only, grid.id.and_then(|name| grid.position(name))) {
        for field in grid.rows.iter().filter_map(|row| row.get(id)) {
            out.push_str(&cell(field, view));
            out.push('\n');
        }
        return Rendered {
            out: out.into_bytes(),
            notes: Vec::new(),
        };
    }
    facts(&answer.facts, view, &mut out);
    if !grid.rows.is_empty() {
        if !out.is_empty() {
            out.push('\n');
        }
        let left_out = lay_out(grid, chosen, view, &mut out);
        if !left_out.is_empty() {
            notes.push(format!(
                "this terminal is too narrow for: {} (-o wide or --columns shows them)",
                left_out.join(", ")
            ));
        }
    }
    if !answer.footer.is_empty() {
        if !out.is_empty() {
            out.push('\n');
        }
        for line in &answer.footer {
            out.push_str(&escape(line));
            out.push('\n');
        }
    }
    Rendered {
        out: painted(&out).into_bytes(),
        notes,
    }
}

/// One row by itself, for answers that come piece by piece: each field as wide as it is told, the last as it is.
pub(crate) fn line(fields: &[(Field, usize)], view: &View) -> String {
    let mut line = String::new();
    for (field, width) in fields {
        let text = cell(field, view);
        let shown = escape(&show(field, view)).chars().count();
        let space = " ".repeat(width.saturating_sub(shown));
        if is_number(field) {
            line.push_str(&space);
            line.push_str(&text);
        } else {
            line.push_str(&text);
            line.push_str(&space);
        }
        line.push_str(&" ".repeat(GAP));
    }
    painted(line.trim_end()) + "\n"
}

fn cell(field: &Field, view: &View) -> String {
    let text = escape(&show(field, view));
    match field {
        Field::Word(_, tone) if view.colour => format!("{}{text}{END}", mark(*tone)),
        _ => text,
    }
}

fn facts(facts: &[(&'static str, Field)], view: &View, out: &mut String) {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    for (name, field) in facts {
        let name = format!("{name}:");
        let value = cell(field, view);
        let line = format!("{name:width$}  {value}\n");
        out.push_str(&line);
    }
}

/// Writes the table; returns the names of the columns that did not fit.
fn lay_out(
    grid: &Grid,
    mut chosen: Vec<usize>,
    view: &View,
    out: &mut String,
) -> Vec<&'static str> {
    let mut left_out = Vec::new();
    let mut widths = vec![None; chosen.len()];
    if let Some(available) = view.width {
        let wishes = wishes(grid, &chosen, view);
        let may_drop = view.format == Format::Table && view.columns.is_none();
        let given = fit(&wishes, available, may_drop);
        let mut kept = Vec::new();
        widths.clear();
        for ((at, wish), width) in chosen.iter().zip(&wishes).zip(given) {
            match (width, grid.heads.get(*at)) {
                (Some(width), _) => {
                    kept.push(*at);
                    widths.push((width < wish.width).then_some(width));
                }
                (None, head) => left_out.extend(head.map(|head| head.name)),
            }
        }
        chosen = kept;
    }
    let mut table = build(grid, &chosen, view);
    for (column, width) in table.column_iter_mut().zip(widths) {
        if let Some(width) = width {
            let padded = u16::try_from(width + GAP).unwrap_or(u16::MAX);
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(padded)));
        }
    }
    out.push_str(&table.trim_fmt());
    out.push('\n');
    left_out
}

fn wishes(grid: &Grid, chosen: &[usize], view: &View) -> Vec<Wish> {
    let widths = build(grid, chosen, view).column_max_content_widths();
    let fits = chosen
        .iter()
        .map(|at| grid.heads.get(*at).map_or(Fit::Keep, |head| head.fit));
    widths
        .into_iter()
        .zip(fits)
        .map(|(width, fit)| Wish {
            width: width.into(),
            fit,
        })
        .collect()
}

fn build(grid: &Grid, chosen: &[usize], view: &View) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        // Cells are cut at any character: a delimiter that never occurs.
        .set_delimiter(END)
        .set_truncation_indicator(if view.utf8 { "…" } else { "..." });
    if view.headers {
        let heads = chosen.iter().filter_map(|at| grid.heads.get(*at));
        let mut header = Row::from(heads.map(|head| head.header).collect::<Vec<_>>());
        header.max_height(1);
        table.set_header(header);
    }
    for fields in &grid.rows {
        let cells = chosen.iter().filter_map(|at| fields.get(*at));
        let mut row = Row::from(
            cells
                .map(|field| Cell::new(cell(field, view)))
                .collect::<Vec<_>>(),
        );
        row.max_height(1);
        table.add_row(row);
    }
    let gap = u16::try_from(GAP).unwrap_or(u16::MAX);
    for (column, at) in table.column_iter_mut().zip(chosen) {
        column.set_padding((0, gap));
        let mut known = grid.rows.iter().filter_map(|row| row.get(*at));
        if known.all(|field| is_number(field) || *field == Field::Empty) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The text with marks turned into escape sequences. Without colour there are none.
fn painted(text: &str) -> String {
    let mut painted = String::with_capacity(text.len());
    for c in text.chars() {
        match MARKS.iter().find(|(mark, _)| *mark == c) {
            Some((_, sequence)) => painted.push_str(sequence),
            None => painted.push(c),
        }
    }
    painted
}
