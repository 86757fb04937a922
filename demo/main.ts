/** The start of the site. */
import { Shell } from './shell';

new Shell().start();
