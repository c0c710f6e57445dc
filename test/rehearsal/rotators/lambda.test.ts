import { rehearseRotator } from './every-rotator';

rehearseRotator('lambda');
