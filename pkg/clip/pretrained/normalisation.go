package pretrained

// Normalisation is how pictures were normalised in a CLIP's training: a value v in [0, 1]
// of a channel (red, green, blue) becomes (v - Mean)/Deviation.
type Normalisation struct{ Mean, Deviation [3]float64 }

// CLIPNormalisation is that of OpenAI's CLIP and of nearly all others. LAION's ViT-L/14
// (laion2b_s32b_b82k) has 0.5 for all.
func CLIPNormalisation() Normalisation {
	return Normalisation{
		Mean:      [3]float64{0.48145466, 0.4578275, 0.40821073},
		Deviation: [3]float64{0.26862954, 0.26130258, 0.27577711},
	}
}

// maxNormal limits means and deviations, which are of values in [0, 1].
const maxNormal = 16

// normalisation reads the three means and deviations under two keys of a section; a missing
// one is CLIP's.
func (c *configuration) normalisation(section string, tree object, meanKey, deviationKey string) (Normalisation, error) {
	found := CLIPNormalisation()
	for _, part := range []struct {
		key   string
		least float64
		into  *[3]float64
	}{{meanKey, 0, &found.Mean}, {deviationKey, 1e-6, &found.Deviation}} {
		stated := tree[part.key]
		if stated == nil {
			continue
		}
		list, _ := stated.([]any)
		sound := len(list) == len(part.into)
		for i := 0; sound && i < len(list); i++ {
			part.into[i], sound = list[i].(float64)
			sound = sound && part.into[i] >= part.least && part.into[i] <= maxNormal
		}
		if !sound {
			return Normalisation{}, c.refuse("sets %s to %s, expected three numbers from %g to %d, of red, green and blue", section+part.key, brief(stated), part.least, maxNormal)
		}
	}
	return found, nil
}
