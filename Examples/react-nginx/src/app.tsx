declare global {
    namespace JSX {
        interface IntrinsicElements {
            [name: string]: any;
        }
    }
}

type Element = { tag: string; attributes: any; children: any[] };

function h(tag: string, attributes: any, ...children: any[]): Element {
    return { tag, attributes: attributes || {}, children: children.flat() };
}

function render(element: Element | string): Node {
    if (typeof element === "string" || typeof element === "number") {
        return document.createTextNode(String(element));
    }
    const node = document.createElement(element.tag);
    for (const name in element.attributes) node.setAttribute(name, element.attributes[name]);
    element.children.forEach(child => node.appendChild(render(child)));
    return node;
}

const streets = ["Elm 4", "Oak 9"];
const App = () => <div class="app"><h1>Listings</h1><ul>{streets.map(street => <li>{street}</li>)}</ul></div>;
document.getElementById("root")!.appendChild(render(App() as any));
export {};
