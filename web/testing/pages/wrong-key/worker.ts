// Bent: the gate is right, every key behind it is that of another link.
import './other_keys.ts';
import '../../../src/e2ee/worker.ts';
