import { rehearseRotator } from './every-rotator';

rehearseRotator('mysql-single');
