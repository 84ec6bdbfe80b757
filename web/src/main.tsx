// The entry of the page.
import './styles/app.css';
import { shippedParts, startPage } from './page.tsx';

const root = document.getElementById('app');
if (root !== null) startPage(root, shippedParts);
