//! Which messages answer which: written services and those derived from names (binary-api.md, section 4.4).

use crate::error::{Error, MeaningError};
use crate::parse::Rpc;
use crate::schema::{Answer, Message, Service};
use std::collections::HashSet;

/// The services of a file: the written ones, then those derived for all messages that no written one names.
pub(crate) fn all(messages: &[Message], written: &[Rpc]) -> Result<Vec<Service>, Error> {
    let known: HashSet<&str> = messages
        .iter()
        .map(|message| message.name.as_str())
        .collect();
    let mut named = HashSet::new();
    let mut services = Vec::new();
    for Rpc { service, origin } in written {
        check(service, written, &known).map_err(|error| origin.error(error))?;
        if services
            .iter()
            .any(|earlier: &Service| earlier.request == service.request)
        {
            return Err(origin.error(MeaningError::TwoServices(service.request.clone())));
        }
        named.insert(service.request.as_str());
        named.extend(service.sent_by_server());
        services.push(service.clone());
    }
    let with_service: HashSet<&str> = written
        .iter()
        .map(|rpc| rpc.service.request.as_str())
        .collect();
    for message in messages
        .iter()
        .filter(|message| !named.contains(message.name.as_str()))
    {
        let derived = derive(&message.name, &known, &with_service);
        services.extend(derived.map_err(|error| message.origin.error(error))?);
    }
    Ok(services)
}

fn check(service: &Service, written: &[Rpc], known: &HashSet<&str>) -> Result<(), MeaningError> {
    let request = service.request.as_str();
    let mut names = std::iter::once(request).chain(service.sent_by_server());
    if let Some(unknown) = names.find(|name| !known.contains(name)) {
        return Err(MeaningError::NotAMessage(unknown.to_owned()));
    }
    let mut replies = written.iter().filter_map(|rpc| rpc.service.answer.reply());
    if replies.any(|reply| reply == request) {
        return Err(MeaningError::RequestIsReply(request.to_owned()));
    }
    Ok(())
}

/// The service that the name of a message implies, if any.
fn derive(
    name: &str,
    known: &HashSet<&str>,
    with_service: &HashSet<&str>,
) -> Result<Option<Service>, MeaningError> {
    let need = |missing: String| {
        if known.contains(missing.as_str()) {
            Ok(missing)
        } else {
            Err(MeaningError::NoService {
                message: name.to_owned(),
                missing,
            })
        }
    };
    let service = |answer| {
        Some(Service {
            request: name.to_owned(),
            answer,
            events: Vec::new(),
        })
    };
    if let Some(request) = name.strip_suffix("_reply") {
        return if with_service.contains(request) {
            Ok(None)
        } else {
            need(request.to_owned()).map(|_| None)
        };
    }
    if let Some(stem) = name.strip_suffix("_dump") {
        let details = need(format!("{stem}_details"))?;
        return Ok(service(Answer::Dump { details }));
    }
    if let Some(stem) = name.strip_suffix("_details") {
        let get = format!("{stem}_get");
        if !known.contains(get.as_str()) {
            return need(format!("{stem}_dump")).map(|_| None);
        }
        return if with_service.contains(get.as_str()) {
            Ok(None)
        } else {
            let missing = format!("a stream from {get}");
            Err(MeaningError::NoService {
                message: name.to_owned(),
                missing,
            })
        };
    }
    let reply = need(format!("{name}_reply"))?;
    Ok(service(Answer::Reply(reply)))
}
