package metrics

// Metric is one metric of an evaluation. Its values are fractions in [0, 1].
type Metric struct {
	Name  string // name in files
	Title string // title in tables

	// One of these computes the metric, from picture scores or from all pixels.
	Image func(Ranking) float64
	Pixel func(Summary) float64
}

// The names of metrics that other packages use.
const (
	ImageAUROC = "image_auroc"
	ImageAP    = "image_ap"
	PixelAUROC = "pixel_auroc"
	PixelAP    = "pixel_ap"
)

// Table lists the metrics in display order. All other code computes, stores, averages and
// shows exactly these.
var Table = []Metric{
	{Name: ImageAUROC, Title: "image AUROC", Image: func(r Ranking) float64 { return r.AUROC }},
	{Name: ImageAP, Title: "image AP", Image: func(r Ranking) float64 { return r.AP }},
	{Name: "image_f1max", Title: "image F1-max", Image: func(r Ranking) float64 { return r.F1Max }},
	{Name: PixelAUROC, Title: "pixel AUROC", Pixel: func(s Summary) float64 { return s.AUROC }},
	{Name: PixelAP, Title: "pixel AP", Pixel: func(s Summary) float64 { return s.AP }},
	{Name: "pixel_f1max", Title: "pixel F1-max", Pixel: func(s Summary) float64 { return s.F1Max }},
	{Name: "pixel_aupro", Title: "pixel AUPRO", Pixel: func(s Summary) float64 { return s.AUPRO }}, // up to a false-positive rate of 0.3, or Options.FPRLimit
}
