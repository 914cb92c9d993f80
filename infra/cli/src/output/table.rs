//! What is aligned for people.

use std::fmt;

use anstyle::Style;

/// A piece of text and how it looks where that can be shown.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// Of this look.
    pub fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: visible(&text.into()), style }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Style::new())
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{0}{1}{0:#}", self.style, self.text)
    }
}

/// `text`, of which nothing moves the cursor, changes a color or turns the direction of what
/// follows: some of it comes from receivers.
fn visible(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Rows of cells under a header.
#[derive(Clone, Debug)]
pub struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
    nothing: &'static str,
}

impl Table {
    /// Without rows yet; without any at all it is `nothing`.
    pub fn new<const N: usize>(header: [&'static str; N], nothing: &'static str) -> Self {
        Self { header: header.to_vec(), rows: Vec::new(), nothing }
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.is_empty() {
            return f.write_str(self.nothing);
        }
        let bold = Style::new().bold();
        let header: Vec<Cell> = self.header.iter().map(|text| Cell::new(*text, bold)).collect();
        let widths: Vec<usize> = (0..header.len())
            .map(|at| {
                let cells = self.rows.iter().filter_map(|row| row.get(at)).chain(header.get(at));
                cells.map(Cell::width).max().unwrap_or_default()
            })
            .collect();
        write_row(f, &header, &widths)?;
        for row in &self.rows {
            writeln!(f)?;
            write_row(f, row, &widths)?;
        }
        Ok(())
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, row: &[Cell], widths: &[usize]) -> fmt::Result {
    // No blanks behind the last one that says something.
    let last = row.iter().rposition(|cell| cell.width() > 0).unwrap_or_default();
    for (at, (cell, width)) in row.iter().zip(widths).enumerate().take(last + 1) {
        write!(f, "{cell}")?;
        if at < last {
            write!(f, "{:1$}", "", width - cell.width() + 2)?;
        }
    }
    Ok(())
}

/// Names, and beside each what it stands for.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    fields: Vec<(&'static str, Vec<Cell>)>,
}

impl Fields {
    /// Adds a field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Cell>) -> Self {
        self.fields.push((name, vec![value.into()]));
        self
    }

    /// Adds a field, if there is a value.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<Cell>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a field with a line for each value.
    #[must_use]
    pub fn with_all<T: Into<Cell>>(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let mut values: Vec<Cell> = values.into_iter().map(Into::into).collect();
        if values.is_empty() {
            values.push("none".into());
        }
        self.fields.push((name, values));
        self
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let bold = Style::new().bold();
        let mut end = "";
        for (name, values) in &self.fields {
            let mut name = Cell::new(format!("{name}:"), bold);
            for value in values {
                write!(f, "{end}{name}{:1$}{value}", "", width + 3 - name.width())?;
                name = Cell::default();
                end = "\n";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &impl fmt::Display) -> String {
        anstream::adapter::strip_str(&text.to_string()).to_string()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["ID", "NAME", "NOTE"], "none");
        assert_eq!(plain(&table), "none");
        table.row(["1".into(), Cell::new("Zoë", Style::new().bold()), "x".into()]);
        table.row(["1234".into(), "Bo".into(), "".into()]);
        assert_eq!(plain(&table), "ID    NAME  NOTE\n1     Zoë   x\n1234  Bo");
    }

    #[test]
    fn fields_stand_one_below_the_other() {
        let fields = Fields::default()
            .with("id", "1")
            .with_some("missing", None::<&str>)
            .with_all("audience", ["a", "b"])
            .with_all::<&str>("events", []);
        assert_eq!(plain(&fields), "id:        1\naudience:  a\n           b\nevents:    none");
    }

    #[test]
    fn what_others_wrote_does_not_play_with_the_terminal() {
        let cell = Cell::from("\u{1b}[31mred\r\n\u{202e}dne");
        assert_eq!(cell.to_string(), "\u{fffd}[31mred\u{fffd}\u{fffd}\u{fffd}dne");
    }
}
