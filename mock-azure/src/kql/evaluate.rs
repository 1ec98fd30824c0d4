//! Runs a query over tables.

use std::{cmp::Ordering, collections::HashMap};

use time::OffsetDateTime;

use super::{
    Column, Kind, KqlError, Scalar, Table, Tables, aggregate,
    ast::{Expr, Let, Named, Pipeline, Query, Source, Step},
    compare::{binary, compare, has_term, same},
    function, schema,
};

/// What a query can name.
pub(crate) struct Context<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) lets: HashMap<String, Scalar>,
    pub(crate) views: HashMap<String, Table>,
    pub(crate) now: OffsetDateTime,
}

impl Context<'_> {
    pub(crate) fn run(mut self, query: Query) -> Result<Table, KqlError> {
        for (name, value) in query.lets {
            match value {
                Let::Value(expr) => {
                    self.check(&expr, &[], "let")?;
                    let value = self.value(&expr, &[], &[])?;
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
            table = self.step(table, step)?;
        }
        Ok(table)
    }

    fn source(&self, source: &Source, operator: &str) -> Result<Table, KqlError> {
        match source {
            Source::Table(name) => self
                .views
                .get(name)
                .or_else(|| self.tables.get(name))
                .cloned()
                .ok_or_else(|| KqlError::unresolved(operator, name)),
            Source::Print(list) => {
                let one = Table { columns: Vec::new(), rows: vec![Vec::new()] };
                self.extend(one, list, "print")
            }
            Source::Datatable(table) => Ok(table.clone()),
            Source::Union { fuzzy, legs } => {
                let mut whole: Option<Table> = None;
                let mut missing = None;
                for leg in legs {
                    match self.pipeline(leg) {
                        Ok(table) => match &mut whole {
                            Some(whole) => whole.append(table),
                            None => whole = Some(table),
                        },
                        Err(error) if *fuzzy && is_missing_table(&error) => missing = Some(error),
                        Err(error) => return Err(error),
                    }
                }
                whole.ok_or_else(|| missing.unwrap_or(KqlError::Unsupported("an empty union".to_owned())))
            }
        }
    }

    fn step(&self, mut table: Table, step: &Step) -> Result<Table, KqlError> {
        match step {
            Step::Where(condition) => {
                self.check(condition, &table.columns, "where")?;
                let mut kept = Vec::new();
                for row in table.rows {
                    if self.value(condition, &table.columns, &row)?.truth() {
                        kept.push(row);
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
                    self.check(&Expr::Name(name.clone()), &table.columns, "project-away")?;
                }
                let kept: Vec<Named> = table
                    .columns
                    .iter()
                    .filter(|column| !names.contains(&column.name))
                    .map(of_column)
                    .collect();
                self.project(&table, &kept, "project-away")
            }
            Step::ProjectRename(list) => {
                for named in list {
                    self.check(&named.expr, &table.columns, "project-rename")?;
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
                let rows = self.value(rows, &[], &[])?.number().unwrap_or_default();
                table.rows.truncate(rows as usize);
                Ok(table)
            }
            Step::Count => Ok(Table {
                columns: vec![Column::new("Count", Kind::Long)],
                rows: vec![vec![Scalar::Long(table.rows.len() as i64)]],
            }),
        }
    }

    fn extend(&self, mut table: Table, list: &[Named], operator: &str) -> Result<Table, KqlError> {
        for (index, named) in list.iter().enumerate() {
            self.check(&named.expr, &table.columns, operator)?;
            let column = Column::new(schema::name(named, index), self.kind(&named.expr, &table.columns));
            let mut cells = Vec::with_capacity(table.rows.len());
            for row in &table.rows {
                cells.push(self.value(&named.expr, &table.columns, row)?);
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
            self.check(&named.expr, &table.columns, operator)?;
            columns.push(Column::new(schema::name(named, index), self.kind(&named.expr, &table.columns)));
        }
        let mut rows = Vec::with_capacity(table.rows.len());
        for row in &table.rows {
            rows.push(self.values(list.iter().map(|named| &named.expr), &table.columns, row)?);
        }
        Ok(Table { columns, rows })
    }

    fn summarize(&self, table: &Table, aggregates: &[Named], by: &[Named]) -> Result<Table, KqlError> {
        let keys = self.project(table, by, "summarize")?;
        let mut calls = Vec::new();
        let mut columns = keys.columns;
        for (index, named) in aggregates.iter().enumerate() {
            let Expr::Call(name, arguments) = &named.expr else {
                return Err(KqlError::Unsupported("an aggregate must be one function call here".to_owned()));
            };
            if !aggregate::is_aggregate(name) {
                return Err(KqlError::Unsupported(format!("the aggregate '{name}' is not known here")));
            }
            self.check(&named.expr, &table.columns, "summarize")?;
            if arguments.contains(&Expr::Star) {
                return Err(KqlError::Unsupported(format!("'{name}' of all columns is not known here")));
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
                    values.push(self.values(arguments.iter(), &table.columns, &table.rows[*member])?);
                }
                row.push(aggregate::reduce(name, &values));
            }
            rows.push(row);
        }
        Ok(Table { columns, rows })
    }

    fn sort(&self, mut table: Table, keys: &[(Expr, bool)]) -> Result<Table, KqlError> {
        let mut keyed = Vec::with_capacity(table.rows.len());
        for (key, _) in keys {
            self.check(key, &table.columns, "sort")?;
        }
        for row in table.rows {
            let values = self.values(keys.iter().map(|(key, _)| key), &table.columns, &row)?;
            keyed.push((values, row));
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

    fn check(&self, expr: &Expr, columns: &[Column], operator: &str) -> Result<(), KqlError> {
        schema::check(expr, columns, &|name| self.lets.contains_key(name), operator)
    }

    fn kind(&self, expr: &Expr, columns: &[Column]) -> Kind {
        schema::kind(expr, columns, &|name| self.lets.get(name).cloned())
    }

    fn values<'e>(
        &self,
        exprs: impl Iterator<Item = &'e Expr>,
        columns: &[Column],
        row: &[Scalar],
    ) -> Result<Vec<Scalar>, KqlError> {
        exprs.map(|expr| self.value(expr, columns, row)).collect()
    }

    fn value(&self, expr: &Expr, columns: &[Column], row: &[Scalar]) -> Result<Scalar, KqlError> {
        let of = |expr: &Expr| self.value(expr, columns, row);
        let column =
            |name: &str| columns.iter().position(|column| column.name == name).map(|at| row[at].clone());
        Ok(match expr {
            Expr::Literal(value) => value.clone(),
            Expr::Star => Scalar::Null,
            Expr::Name(name) => column(name).or_else(|| self.lets.get(name).cloned()).unwrap_or(Scalar::Null),
            Expr::Call(name, arguments) if name == "column_ifexists" => match of(&arguments[0])? {
                Scalar::Text(name) => match column(&name) {
                    Some(value) => value,
                    None => of(&arguments[1])?,
                },
                _ => of(&arguments[1])?,
            },
            Expr::Call(name, arguments) => {
                let values = self.values(arguments.iter(), columns, row)?;
                function::apply(name, &values, self.now)?
            }
            Expr::Member(bag, member) => match (of(bag)?, of(member)?) {
                (Scalar::Dynamic(bag), Scalar::Text(name)) => Scalar::of_json(&bag[name.as_str()]),
                (Scalar::Dynamic(bag), Scalar::Long(index)) => {
                    bag.get(index as usize).map_or(Scalar::Null, Scalar::of_json)
                }
                _ => Scalar::Null,
            },
            Expr::Negative(inner) => match of(inner)? {
                Scalar::Long(number) => Scalar::Long(-number),
                Scalar::Real(number) => Scalar::Real(-number),
                Scalar::Span(span) => Scalar::Span(-span),
                _ => Scalar::Null,
            },
            Expr::Between { value, low, high, negated } => {
                let (value, low, high) = (of(value)?, of(low)?, of(high)?);
                let inside =
                    compare(&value, &low) != Ordering::Less && compare(&value, &high) != Ordering::Greater;
                Scalar::Bool(inside != *negated)
            }
            Expr::In { value, list, negated, ignore_case } => {
                let value = of(value)?;
                let mut found = false;
                for item in list {
                    let item = of(item)?;
                    found |= match &item {
                        Scalar::Dynamic(serde_json::Value::Array(items)) => {
                            items.iter().any(|item| same(&value, &Scalar::of_json(item), *ignore_case))
                        }
                        item => same(&value, item, *ignore_case),
                    };
                }
                Scalar::Bool(found != *negated)
            }
            Expr::HasTerms { value, list, all, negated } => {
                let text = of(value)?.to_text().to_lowercase();
                let mut found = Vec::new();
                for item in list {
                    match of(item)? {
                        Scalar::Dynamic(serde_json::Value::Array(items)) => {
                            found.extend(items.iter().map(|item| has_term(&text, &Scalar::of_json(item))));
                        }
                        item => found.push(has_term(&text, &item)),
                    }
                }
                let holds = if *all { !found.contains(&false) } else { found.contains(&true) };
                Scalar::Bool(holds != *negated)
            }
            Expr::Binary(operator, left, right) => match operator.as_str() {
                "matches regex" => function::matches(&of(left)?, &of(right)?)?,
                "and" => Scalar::Bool(of(left)?.truth() && of(right)?.truth()),
                "or" => Scalar::Bool(of(left)?.truth() || of(right)?.truth()),
                operator => binary(operator, &of(left)?, &of(right)?),
            },
        })
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

fn is_missing_table(error: &KqlError) -> bool {
    matches!(error, KqlError::Semantic { code: "SEM0100", message } if message.contains("table or column expression"))
}
