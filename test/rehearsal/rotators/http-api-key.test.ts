import { rehearseRotator } from './every-rotator';

rehearseRotator('http-api-key');
