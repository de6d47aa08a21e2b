// Package pixels turns the items of a dataset into arrays: it decodes pictures and
// masks, scales them to a square, varies them at random for training, and reads
// ahead of its consumer.
package pixels
