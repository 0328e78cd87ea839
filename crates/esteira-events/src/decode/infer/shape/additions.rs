//! What values have beside the fields of a schema.

use super::Shape;
use crate::decode::infer::{Addition, LeftOut};
use crate::decode::layout::push_name;
use crate::schema::{DataType, Field};

/// Where in the event values are.
#[derive(Debug, Clone)]
pub(in crate::decode::infer) struct Place {
    /// The fields they are within; lists are not counted.
    within: Vec<String>,
    path: String,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            within: Vec::new(),
            path: "$".to_owned(),
        }
    }
}

impl Place {
    fn of(&self, name: &str) -> Self {
        let mut place = self.clone();
        place.within.push(name.to_owned());
        push_name(&mut place.path, name);
        place
    }
}

impl Shape {
    /// What its objects have beside the fields that are known.
    pub(in crate::decode::infer) fn additions(
        &self,
        known: &[Field],
        place: &Place,
        additions: &mut Vec<Addition>,
        left_out: &mut Vec<LeftOut>,
    ) {
        let Some(structs) = &self.structs else {
            return;
        };
        let outermost = place.within.is_empty();
        for field in structs.typed_beside(known, &place.path, outermost, left_out) {
            let member = structs
                .index
                .get(&field.name)
                .map(|at| &structs.fields[*at]);
            additions.push(Addition {
                within: place.within.clone(),
                path: place.of(&field.name).path,
                present: member.map_or(0, |member| member.present),
                example: member
                    .and_then(|member| member.shape.example())
                    .unwrap_or_default(),
                field,
            });
        }
        for member in &structs.fields {
            let Some(field) = known.iter().find(|field| field.name == member.name) else {
                continue;
            };
            let mut place = place.of(&field.name);
            let (mut shape, mut data_type) = (&member.shape, &field.data_type);
            while let (DataType::Array(element), Some(lists)) = (data_type, &shape.lists) {
                place.path.push_str("[]");
                (shape, data_type) = (&*lists.element, &**element);
            }
            if let DataType::Struct(fields) = data_type {
                shape.additions(fields, &place, additions, left_out);
            }
        }
    }
}
