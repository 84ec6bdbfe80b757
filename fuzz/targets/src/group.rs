//! The binary messages of the MLS group: nothing panics, and what is read can be written again.

use protocol::group::{ClientFrame, CommitData, ServerFrame};

/// The input is a binary message of a member.
pub fn client_frame(data: &[u8]) {
    if let Ok(frame) = ClientFrame::decode(data) {
        assert_eq!(ClientFrame::decode(&frame.encode()), Ok(frame));
    }
}

/// The input is a binary message of the server.
pub fn server_frame(data: &[u8]) {
    if let Ok(frame) = ServerFrame::decode(data) {
        assert_eq!(ServerFrame::decode(&frame.encode()), Ok(frame));
    }
}

/// The input is the authenticated data of a commit.
pub fn commit_data(data: &[u8]) {
    if let Ok(read) = CommitData::decode(data) {
        assert_eq!(read.encode(), data);
    }
}
