// The E2EE worker.
export {};
