// Package pixels loads the items of a dataset as arrays: it decodes pictures and
// masks, scales them to a square, augments them for training, and prefetches.
package pixels
