import { rehearseRotator } from './every-rotator';

rehearseRotator('oauth-client-secret');
