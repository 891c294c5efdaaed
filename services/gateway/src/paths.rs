//! Which surface a path belongs to, and what that surface has there.

use http::Method;

use crate::canonical::{Found, Template, TemplateError, Tree, decoded};
use crate::config::Config;
use crate::counts::{Counted, Counts};
use crate::refusal::Refusal;
use crate::surface::{Endpoint, Surface};

/// The endpoints of all surfaces that are on.
pub(crate) struct Paths {
    surfaces: Vec<OfSurface>,
}

struct OfSurface {
    surface: Surface,
    claims: fn(&str) -> bool,
    tree: Tree,
    /// Of each endpoint.
    counted: Vec<Counted>,
    /// Of what it refuses before it knows which.
    none: Counted,
}

/// An endpoint that was found.
pub(crate) struct Reached {
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) variables: Vec<String>,
    pub(crate) counted: Counted,
}

impl Paths {
    pub(crate) fn new(config: &Config, counts: &mut Counts) -> Result<Self, TemplateError> {
        let mut surfaces = Vec::new();
        for surface in Surface::ALL {
            if config.off.contains(&surface) {
                continue;
            }
            let table = surface.table();
            let (mut tree, mut counted) = (Tree::default(), Vec::new());
            for (place, endpoint) in table.endpoints.iter().enumerate() {
                let template = Template::read(endpoint.template)?;
                tree.add(endpoint.method.clone(), &template, endpoint.template, place)?;
                counted.push(counts.add(table.name, endpoint.template));
            }
            let none = counts.add(table.name, "none");
            surfaces.push(OfSurface { surface, claims: table.claims, tree, counted, none });
        }
        Ok(Self { surfaces })
    }

    /// Whose path it is. The last surface takes what nobody claims.
    pub(crate) fn surface(&self, path: &str) -> (Surface, Counted) {
        let mine = self.surfaces.iter().find(|one| (one.claims)(path));
        mine.or(self.surfaces.last())
            .map_or((Surface::Unknown, Counted(0)), |one| (one.surface, one.none))
    }

    /// What a surface has at this path.
    ///
    /// # Errors
    /// Nothing, or not for this method.
    pub(crate) fn find(
        &self,
        surface: Surface,
        method: &Method,
        path: &str,
    ) -> Result<Reached, Refusal> {
        let of = self.surfaces.iter().find(|one| one.surface == surface);
        let of = of.ok_or_else(Refusal::no_route)?;
        match of.tree.find(method, path) {
            Found::Route(place, values) => {
                let variables = values.iter().map(|value| decoded(value).map(String::from));
                let variables = variables.collect::<Option<_>>();
                Ok(Reached {
                    endpoint: &surface.table().endpoints[place],
                    variables: variables.ok_or_else(Refusal::no_route)?,
                    counted: of.counted[place],
                })
            }
            Found::OtherMethods(ends, asked) => {
                let methods = ends.iter().filter(|(verb, _, _)| verb == asked);
                Err(Refusal::method_not_allowed(methods.map(|(_, method, _)| method)))
            }
            Found::Nothing => Err(Refusal::no_route()),
        }
    }
}
