//! Runs a query over tables.

use std::{cmp::Ordering, collections::HashMap};

use super::{
    Column, Kind, KqlError, Scalar, Table, aggregate,
    ast::{Expr, Let, Named, Pipeline, Query, Source, Step},
    compare::compare,
    context::Context,
    row::{NO_ROW, Row},
    schema,
};

impl Context<'_> {
    pub(crate) fn run(mut self, query: Query) -> Result<Table, KqlError> {
        for (name, value) in query.lets {
            match value {
                Let::Value(expr) => {
                    self.check(&expr, &Table::default(), "let")?;
                    let value = self.value(&expr, NO_ROW)?.into_owned();
                    self.lets.insert(name, value);
                }
                Let::View(pipeline) => {
                    let rows = self.pipeline(&pipeline)?;
                    self.views.insert(name, rows);
                }
            }
        }
        self.pipeline(&query.pipeline)
    }

    fn pipeline(&self, pipeline: &Pipeline) -> Result<Table, KqlError> {
        let first = pipeline.steps.first().map_or("take", operator_name);
        let mut table = self.source(&pipeline.source, first)?;
        for step in &pipeline.steps {
            self.budget.spend(table.rows.len())?;
            table = self.step(table, step)?;
        }
        Ok(table)
    }

    fn source(&self, source: &Source, operator: &'static str) -> Result<Table, KqlError> {
        match source {
            Source::Table(name) => match self.views.get(name).or_else(|| self.tables.get(name)) {
                Some(table) => {
                    for cell in table.rows.iter().flatten() {
                        self.budget.pay(cell)?;
                    }
                    Ok(table.clone())
                }
                None if self.tables.is_absent(name) => {
                    Err(KqlError::NoTable { operator, table: name.clone() })
                }
                None => Err(KqlError::Unsupported(format!("the table '{name}' is not known here"))),
            },
            Source::Print(list) => {
                let one = Table { rows: vec![Vec::new()], ..Table::default() };
                self.extend(one, list, "print")
            }
            Source::Datatable(table) => Ok(table.clone()),
            Source::Union { fuzzy, legs } => {
                let mut whole: Option<Table> = None;
                let mut missing = None;
                for leg in legs {
                    match self.pipeline(leg) {
                        Ok(table) => match &mut whole {
                            Some(whole) => {
                                let width = whole.columns.len() + table.columns.len();
                                self.budget.spend((whole.rows.len() + table.rows.len()) * width)?;
                                whole.append(table);
                            }
                            None => whole = Some(table),
                        },
                        Err(error @ KqlError::NoTable { .. }) if *fuzzy => missing = Some(error),
                        Err(error) => return Err(error),
                    }
                }
                whole.ok_or_else(|| missing.unwrap_or(KqlError::unsupported("an empty union")))
            }
        }
    }

    fn step(&self, mut table: Table, step: &Step) -> Result<Table, KqlError> {
        match step {
            Step::Where(condition) => {
                self.check(condition, &table, "where")?;
                let mut kept = Vec::new();
                for cells in table.rows {
                    let row = Row { columns: &table.columns, cells: &cells };
                    if self.value(condition, row)?.truth() {
                        kept.push(cells);
                    }
                }
                table.rows = kept;
                Ok(table)
            }
            Step::Extend(list) => self.extend(table, list, "extend"),
            Step::Project(list) => self.project(&table, list, "project"),
            Step::Distinct(list) => {
                let by: Vec<Named> = match list.as_slice() {
                    [Named { expr: Expr::Star, .. }] => table.columns.iter().map(of_column).collect(),
                    list => list.to_vec(),
                };
                self.summarize(&table, &[], &by)
            }
            Step::ProjectAway(names) => {
                for name in names {
                    self.check(&Expr::Name(name.clone()), &table, "project-away")?;
                }
                let kept: Vec<Named> = table
                    .columns
                    .iter()
                    .filter(|column| !names.contains(&column.name))
                    .map(of_column)
                    .collect();
                let open = table.open;
                Ok(Table { open, ..self.project(&table, &kept, "project-away")? })
            }
            Step::ProjectRename(list) => {
                for named in list {
                    self.check(&named.expr, &table, "project-rename")?;
                    if let (Some(new), Expr::Name(old)) = (&named.name, &named.expr)
                        && let Some(at) = table.position(old)
                    {
                        table.columns[at].name.clone_from(new);
                    }
                }
                Ok(table)
            }
            Step::Summarize { aggregates, by } => self.summarize(&table, aggregates, by),
            Step::Sort(keys) => self.sort(table, keys),
            Step::Take(rows) => {
                let rows = self.value(rows, NO_ROW)?.number().unwrap_or_default();
                table.rows.truncate(rows as usize);
                Ok(table)
            }
            Step::Count => Ok(Table {
                columns: vec![Column::new("Count", Kind::Long)],
                rows: vec![vec![Scalar::Long(table.rows.len() as i64)]],
                open: false,
            }),
        }
    }

    fn extend(&self, mut table: Table, list: &[Named], operator: &str) -> Result<Table, KqlError> {
        for (index, named) in list.iter().enumerate() {
            self.check(&named.expr, &table, operator)?;
            let column = Column::new(schema::name(named, index), self.kind(&named.expr, &table.columns));
            let mut cells = Vec::with_capacity(table.rows.len());
            for row in &table.rows {
                cells
                    .push(self.value(&named.expr, Row { columns: &table.columns, cells: row })?.into_owned());
            }
            match table.position(&column.name) {
                Some(at) => {
                    table.columns[at] = column;
                    table.rows.iter_mut().zip(cells).for_each(|(row, cell)| row[at] = cell);
                }
                None => {
                    table.columns.push(column);
                    table.rows.iter_mut().zip(cells).for_each(|(row, cell)| row.push(cell));
                }
            }
        }
        Ok(table)
    }

    fn project(&self, table: &Table, list: &[Named], operator: &str) -> Result<Table, KqlError> {
        let mut columns = Vec::new();
        for (index, named) in list.iter().enumerate() {
            self.check(&named.expr, table, operator)?;
            columns.push(Column::new(schema::name(named, index), self.kind(&named.expr, &table.columns)));
        }
        let mut rows = Vec::with_capacity(table.rows.len());
        for row in &table.rows {
            let row = Row { columns: &table.columns, cells: row };
            rows.push(self.values(list.iter().map(|named| &named.expr), row)?);
        }
        Ok(Table { columns, rows, open: false })
    }

    fn summarize(&self, table: &Table, aggregates: &[Named], by: &[Named]) -> Result<Table, KqlError> {
        let keys = self.project(table, by, "summarize")?;
        let mut calls = Vec::new();
        let mut columns = keys.columns;
        for (index, named) in aggregates.iter().enumerate() {
            let Expr::Call(name, arguments) = &named.expr else {
                return Err(KqlError::unsupported("an aggregate must be one function call here"));
            };
            aggregate::known(name, arguments.len())?;
            if arguments.contains(&Expr::Star) {
                return Err(KqlError::Unsupported(format!("'{name}' of all columns is not known here")));
            }
            for argument in arguments {
                self.check(argument, table, "summarize")?;
            }
            columns.push(Column::new(schema::name(named, index), self.kind(&named.expr, &table.columns)));
            calls.push((name, arguments));
        }
        let mut groups: Vec<(Vec<Scalar>, Vec<usize>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (index, key) in keys.rows.into_iter().enumerate() {
            let place = *places.entry(format!("{key:?}")).or_insert_with(|| {
                groups.push((key, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(index);
        }
        if by.is_empty() && groups.is_empty() {
            groups.push((Vec::new(), Vec::new()));
        }
        let mut rows = Vec::with_capacity(groups.len());
        for (mut row, members) in groups {
            for (name, arguments) in &calls {
                let mut values = Vec::with_capacity(members.len());
                for member in &members {
                    let row = Row { columns: &table.columns, cells: &table.rows[*member] };
                    values.push(self.values(arguments.iter(), row)?);
                }
                let reduced = aggregate::reduce(name, &values);
                self.budget.pay(&reduced)?;
                row.push(reduced);
            }
            rows.push(row);
        }
        Ok(Table { columns, rows, open: false })
    }

    fn sort(&self, mut table: Table, keys: &[(Expr, bool)]) -> Result<Table, KqlError> {
        let mut keyed = Vec::with_capacity(table.rows.len());
        for (key, _) in keys {
            self.check(key, &table, "sort")?;
        }
        for cells in table.rows {
            let row = Row { columns: &table.columns, cells: &cells };
            let values = self.values(keys.iter().map(|(key, _)| key), row)?;
            keyed.push((values, cells));
        }
        keyed.sort_by(|(a, _), (b, _)| {
            let orders = a
                .iter()
                .zip(b)
                .zip(keys)
                .map(|((a, b), (_, ascending))| if *ascending { compare(a, b) } else { compare(b, a) });
            orders.fold(Ordering::Equal, Ordering::then)
        });
        table.rows = keyed.into_iter().map(|(_, row)| row).collect();
        Ok(table)
    }

    fn check(&self, expr: &Expr, table: &Table, operator: &str) -> Result<(), KqlError> {
        schema::check(expr, table, &|name| self.lets.contains_key(name), operator)
    }

    fn kind(&self, expr: &Expr, columns: &[Column]) -> Kind {
        schema::kind(expr, columns, &|name| self.lets.get(name).cloned())
    }
}

fn of_column(column: &Column) -> Named {
    Named { name: None, expr: Expr::Name(column.name.clone()) }
}

fn operator_name(step: &Step) -> &'static str {
    match step {
        Step::Where(_) => "where",
        Step::Extend(_) => "extend",
        Step::Project(_) => "project",
        Step::ProjectAway(_) => "project-away",
        Step::ProjectRename(_) => "project-rename",
        Step::Summarize { .. } => "summarize",
        Step::Distinct(_) => "distinct",
        Step::Sort(_) => "sort",
        Step::Take(_) => "take",
        Step::Count => "count",
    }
}
