// Height and width of the image that a pipeline is specialised for: declared once, since modules that a kernel puts
// together may all need them, and the host gives values by name.
//

override HEIGHT: u32;
override WIDTH: u32;
