declare function require(module: string): any;
declare const process: any;
declare const console: any;
