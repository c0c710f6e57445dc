import { rehearseRotator } from './every-rotator';

rehearseRotator('generated');
