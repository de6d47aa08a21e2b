// Package layers contains only tests. They check that the module's packages import each
// other in one direction, and that only one package uses C.
package layers
