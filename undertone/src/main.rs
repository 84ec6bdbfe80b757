//! The server of Undertone: signaling, media forwarding and the web client in one process.

mod addresses;
#[cfg(feature = "capture")]
mod capture;
mod check_config;
mod error;
mod headers;
mod health;
mod limits;
mod logging;
mod media;
mod metrics;
mod page;
mod port;
mod serve;
mod service_manager;
mod settings;
mod signals;
mod state;
mod tls;

use std::process::ExitCode;

use error::StartError;
use settings::{Layers, Order, Settings};

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match settings::cli::read() {
        Ok(Order::CheckConfig(files)) => return check_config(&files),
        Ok(Order::Serve(layers)) => serve(&layers).await,
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not through the log: a filter must not hide why nothing runs.
            eprintln!("undertone: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(layers: &Layers) -> Result<(), StartError> {
    let settings = Settings::new(layers)?;
    logging::start(&settings.log);
    for warning in layers.warnings() {
        tracing::warn!("{warning}");
    }
    serve::serve(settings).await
}

fn check_config(files: &[std::path::PathBuf]) -> ExitCode {
    // A reader that went away has no use for the answer.
    let is_good = check_config::check(files, &mut std::io::stdout().lock()).unwrap_or(false);
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
