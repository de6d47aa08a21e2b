package metrics

// Metric is one metric of an evaluation. A value is a fraction in [0, 1].
type Metric struct {
	Name  string // in files
	Title string // in tables

	// One of these computes it, of the scores of pictures or of all pixels.
	Image func(Ranking) float64
	Pixel func(Summary) float64
}

// The names of those that are looked up.
const (
	ImageAUROC = "image_auroc"
	ImageAP    = "image_ap"
	PixelAUROC = "pixel_auroc"
	PixelAP    = "pixel_ap"
)

// Table lists the metrics in the order in which they are shown. What stands here is
// computed, kept, averaged and shown by everything else.
var Table = []Metric{
	{Name: ImageAUROC, Title: "image AUROC", Image: func(r Ranking) float64 { return r.AUROC }},
	{Name: ImageAP, Title: "image AP", Image: func(r Ranking) float64 { return r.AP }},
	{Name: "image_f1max", Title: "image F1-max", Image: func(r Ranking) float64 { return r.F1Max }},
	{Name: PixelAUROC, Title: "pixel AUROC", Pixel: func(s Summary) float64 { return s.AUROC }},
	{Name: PixelAP, Title: "pixel AP", Pixel: func(s Summary) float64 { return s.AP }},
	{Name: "pixel_f1max", Title: "pixel F1-max", Pixel: func(s Summary) float64 { return s.F1Max }},
	{Name: "pixel_aupro", Title: "pixel AUPRO", Pixel: func(s Summary) float64 { return s.AUPRO }}, // to a false-positive rate of 0.3, or Options.FPRLimit
}
