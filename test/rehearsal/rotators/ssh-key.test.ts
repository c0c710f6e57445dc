import { rehearseRotator } from './every-rotator';

// Each use starts a shell on every host, and each login an sshd.
rehearseRotator('ssh-key', { restMs: 500 });
