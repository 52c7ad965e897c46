//! SQLite's schema as SQL: its own texts in one spelling, a column to a line.

use super::DumpedObject;
use crate::store::migrations::catalog::{Names, table_pieces};
use crate::store::migrations::connection::{Conn, list, text};
use crate::store::migrations::objects::ObjectKind;
use crate::store::migrations::tokens::{identifier, normal, tokens};

pub(super) async fn dump(conn: &mut Conn, names: &Names) -> Result<Vec<DumpedObject>, sqlx::Error> {
    let (tables, others) = (list(&names.tables), list(&names.others));
    let sql = format!(
        "SELECT type, tbl_name, name, sql FROM sqlite_master
         WHERE sql IS NOT NULL AND (tbl_name IN ({tables}) OR name IN ({others}))
         ORDER BY CASE type WHEN 'table' THEN 1 WHEN 'index' THEN 2 WHEN 'view' THEN 3 ELSE 4 END, tbl_name, name"
    );
    let rows = conn.rows(&sql).await?;
    let objects = rows.iter().map(|row| {
        let [kind, on, name, sql] = [0, 1, 2, 3].map(|at| text(Some(row), at));
        let tokens: Vec<_> = tokens(sql).into_iter().map(|placed| placed.token).collect();
        let plain = || format!("{};", normal(&tokens));
        match kind {
            "table" => {
                let (pieces, options) = table_pieces(name, &tokens);
                let lines: Vec<_> = pieces
                    .iter()
                    .map(|piece| format!("    {}", normal(piece)))
                    .collect();
                let head = format!(
                    "create table {} (\n{}\n) {options}",
                    identifier(name),
                    lines.join(",\n")
                );
                DumpedObject::new(
                    ObjectKind::Table,
                    None,
                    name,
                    format!("{};", head.trim_end()),
                )
            }
            "index" => DumpedObject::new(ObjectKind::Index, Some(on), name, plain()),
            "view" => DumpedObject::new(ObjectKind::View, None, name, plain()),
            _ => DumpedObject::new(ObjectKind::Trigger, Some(on), name, plain()),
        }
    });
    Ok(objects.collect())
}
