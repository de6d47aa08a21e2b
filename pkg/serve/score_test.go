package serve

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"net/http"
	"strings"
	"testing"

	"acdclip/pkg/anomalymap"
	"acdclip/pkg/domain"
	"acdclip/pkg/inspection"
	"acdclip/pkg/report"
)

// One picture as the body has a row with predict's keys.
func TestOnePicture(t *testing.T) {
	s := start(t, &fake{}, nil)
	got := s.post("?class=metal_nut&threshold=0.5&pixel_threshold=0.4", plain(t, 40, 20, 204))
	if got.status != http.StatusOK {
		t.Fatalf("%+v", got)
	}
	var body struct {
		Conditions string
		Thresholds report.Thresholds
		Rows       []json.RawMessage
	}
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		t.Fatal(err)
	}
	const want = `{"path":"","class":"metal nut","score":0.8,"anomalous":true,"threshold":0.5,"class_probability":null,"map_max":0.8,"regions":1,"area":1,"box":"0 0 40 20","width":40,"height":20,"bytes":null,"modified":null,"heatmap":null,"figure":null,"mask":null,"map":null,"thumbnail":null,"error":null,"region_list":[{"box":[0,0,40,20],"area":1,"max":0.8}]}`
	if len(body.Rows) != 1 || string(body.Rows[0]) != want {
		t.Errorf("got  %s\nwant %s", body.Rows, want)
	}
	if *body.Thresholds.Score != 0.5 || *body.Thresholds.Pixel != 0.4 || body.Thresholds.Source != "the request" {
		t.Errorf("%s", got.body)
	}
	if want := s.server.present.now.Conditions("metal_nut", domain.Industrial).Digest(); body.Conditions != want {
		t.Errorf("conditions %s, want %s", body.Conditions, want)
	}
	other := s.post("?class=bolt", plain(t, 40, 20, 204))
	if strings.Contains(other.body, body.Conditions) {
		t.Error("another class has the same conditions")
	}
}

// Several pictures have rows in their order; a bad one has its own error.
func TestForm(t *testing.T) {
	s := start(t, &fake{}, nil)
	files := []upload{{"a/b.png", plain(t, 9, 9, 51)}, {"text.png", []byte("a text")}, {"big.png", plain(t, 1001, 1000, 0)}, {"", nil}, {"ü\u202e.png", plain(t, 9, 9, 102)}}
	files[3] = upload{"cut.png", plain(t, 9, 9, 51)[:50]}
	for range 12 {
		files = append(files, upload{"more.png", plain(t, 9, 9, 255)})
	}
	kind, body := form(t, []string{"threshold=0.3", "domain=medical"}, files...)
	got := s.send(http.MethodPost, "/v1/score?class=nut", kind, body)
	rows := got.rows(t)
	if got.status != http.StatusOK || len(rows) != len(files) {
		t.Fatalf("%+v", got)
	}
	for i, want := range []struct {
		path, says string
		score      float64
	}{{"b.png", "", 0.2}, {"text.png", `not a picture: it contains text that starts with \"a text\"`, 0}, {"big.png", "1001 x 1000 pixels, the maximum is 1000000", 0}, {"cut.png", "damaged or cut short", 0}, {`ü\xe2\x80\xae.png`, "", 0.4}, {"more.png", "", 1}} {
		row := rows[i]
		if want.says != "" {
			text, _ := json.Marshal(row["error"])
			if !strings.Contains(string(text), want.says) || row["score"] != nil {
				t.Errorf("%v, want an error that says %s", row, want.says)
			}
		} else if row["error"] != nil || !near(row["score"].(float64), want.score) || row["anomalous"] != (want.score >= 0.3) {
			t.Errorf("%v, want the score %v", row, want.score)
		}
		if row["path"] != want.path {
			t.Errorf("path %q, want %q", row["path"], want.path)
		}
	}
	if got := s.post("", []byte("a text")); got.status != http.StatusUnprocessableEntity || got.rows(t)[0]["error"] == nil {
		t.Errorf("a bad picture alone: %+v", got)
	}
}

// Maps and heat maps come as data URLs, or a heat map as the whole answer.
func TestPictures(t *testing.T) {
	s := start(t, &fake{}, nil)
	content := plain(t, 60, 30, 51)
	data := func(query, key, kind string) []byte {
		t.Helper()
		row := s.post(query, content).rows(t)[0]
		text, found := strings.CutPrefix(row[key].(string), "data:"+kind+";base64,")
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil || !found {
			t.Fatalf("%s: %.80s", query, row[key])
		}
		return b
	}
	for _, query := range []string{"png", "npy"} {
		kind := map[string]string{"png": "image/png", "npy": "application/x-npy"}[query]
		content := data("?map="+query, "map", kind)
		m, err := anomalymap.Decode(bytes.NewReader(content), int64(len(content)), anomalymap.Options{})
		if err != nil || m.Width != side || m.Height != side || !near(float64(m.Scores[0]), 0.2) {
			t.Errorf("%s: %v", query, err)
		}
	}
	sizeOf := func(b []byte) (string, image.Point) {
		m, format, err := image.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return format, m.Bounds().Size()
	}
	for query, want := range map[string]image.Point{"?heatmap=png": {60, 30}, "?heatmap=jpeg&max_side=20": {20, 10}, "?heatmap=png&pixel_threshold=0.1": {60, 30}} {
		kind := "png"
		if strings.Contains(query, "jpeg") {
			kind = "jpeg"
		}
		if format, size := sizeOf(data(query, "heatmap", "image/"+kind)); format != kind || size != want {
			t.Errorf("%s: %s %v", query, format, size)
		}
	}
	plainMap, outlined := data("?heatmap=png", "heatmap", "image/png"), data("?heatmap=png&pixel_threshold=0.1", "heatmap", "image/png")
	if bytes.Equal(plainMap, outlined) {
		t.Error("a threshold for pixels does not change the heat map")
	}
	for _, kind := range []string{"png", "jpeg"} {
		got := s.post("?max_side=20", content, "Accept", "image/"+kind)
		if format, size := sizeOf([]byte(got.body)); got.header.Get("Content-Type") != "image/"+kind || format != kind || size != (image.Point{20, 10}) {
			t.Errorf("Accept %s: %v, %s %v", kind, got.header, format, size)
		}
	}
	if got := s.post("", []byte("a text"), "Accept", "image/png"); got.status != http.StatusUnprocessableEntity || got.kind() != kindPicture {
		t.Errorf("%+v", got)
	}
	for query, want := range map[string]int{"?map=png": http.StatusBadRequest, "?heatmap=jpeg": http.StatusBadRequest, "?heatmap=png": http.StatusOK} {
		if got := s.post(query, content, "Accept", "image/png"); got.status != want {
			t.Errorf("Accept: image/png with %s: %d %.300s", query, got.status, got.body)
		}
	}
	kind, body := form(t, nil, upload{"a.png", content}, upload{"b.png", content})
	if got := s.send(http.MethodPost, "/v1/score", kind, body, "Accept", "image/png"); got.status != http.StatusBadRequest {
		t.Errorf("two pictures: %+v", got)
	}
}

// A request's thresholds stand before the service's.
func TestThresholds(t *testing.T) {
	s := start(t, &fake{}, func(o *setup, _ *inspection.Options) {
		o.Thresholds = func(class string, _ domain.Domain) report.Thresholds {
			if class == "pixels" {
				return report.Thresholds{Pixel: new(float32(0.75)), Source: "a calibration"}
			}
			if class != "nut" {
				return report.Thresholds{}
			}
			return report.Thresholds{Score: new(float32(0.25)), Pixel: new(float32(0.75)), Source: "a calibration"}
		}
	})
	for query, want := range map[string]string{
		"?class=nut":                                 `"thresholds":{"score":0.25,"pixel":0.75,"source":"a calibration"}`,
		"?class=nut&threshold=0.5":                   `"thresholds":{"score":0.5,"pixel":0.75,"source":"the request and a calibration"}`,
		"?class=pixels&pixel_threshold=0.5":          `"thresholds":{"score":null,"pixel":0.5,"source":"the request"}`,
		"?class=pixels&threshold=0.5":                `"thresholds":{"score":0.5,"pixel":0.75,"source":"the request and a calibration"}`,
		"?class=bolt":                                `"thresholds":{"score":null,"pixel":null,"source":""}`,
		"?class=bolt&threshold=1":                    `"thresholds":{"score":1,"pixel":null,"source":"the request"}`,
		"?threshold=0&class=nut&pixel_threshold=0.1": `"thresholds":{"score":0,"pixel":0.1,"source":"the request"}`,
	} {
		if got := s.post(query, plain(t, 9, 9, 99)); !strings.Contains(got.body, want) {
			t.Errorf("%s: %s", query, got.body)
		}
	}
}

// Wrong fields are refused with what is wrong.
func TestWrongFields(t *testing.T) {
	s := start(t, &fake{}, nil)
	for query, says := range map[string]string{
		"?threshold=NaN":                        "threshold must be a number from 0 to 1",
		"?threshold=1.5":                        "threshold must be a number from 0 to 1",
		"?pixel_threshold=-1":                   "pixel_threshold must be",
		"?threshold=1e999":                      "threshold must be",
		"?threshold=Inf":                        "threshold must be",
		"?class=":                               "class is empty",
		"?class=%20":                            "class is empty",
		"?class=" + strings.Repeat("a", 201):    "longer than 200 bytes",
		"?class=a%0Ab":                          "without control characters",
		"?class=%ff":                            "a text in UTF-8",
		"?domain=space":                         "unknown domain",
		"?domain=" + strings.Repeat("long", 99): "longlonglonglonglonglonglonglonglonglong...",
		"?map=tiff":                             `map must be one of [\"png\" \"npy\"]`,
		"?heatmap=gif":                          "heatmap must be one of",
		"?max_side=0":                           "from 1 to 2048",
		"?max_side=2049":                        "from 1 to 2048",
		"?max_side=x":                           "from 1 to 2048",
		"?class=a&class=b":                      "class is given twice",
		"?treshold=0.5":                         `unknown field \"treshold\"; there are class, domain, threshold`,
		"?%zz":                                  "the query is malformed",
		"?" + strings.Repeat("long", 99) + "=":  "longlonglonglonglonglonglonglonglonglong...",
	} {
		if got := s.post(query, plain(t, 9, 9, 99)); got.status != http.StatusBadRequest || got.kind() != kindRequest || !strings.Contains(got.body, says) {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
}

// A browser's page of another origin may not use the service; its own page may.
func TestOrigins(t *testing.T) {
	s := start(t, &fake{}, nil)
	for _, c := range []struct {
		header, value string
		want          int
	}{
		{"Sec-Fetch-Site", "same-origin", http.StatusOK}, {"Sec-Fetch-Site", "cross-site", http.StatusForbidden}, {"Sec-Fetch-Site", "same-site", http.StatusForbidden},
		{"Origin", s.url, http.StatusOK}, {"Origin", "http://example.org", http.StatusForbidden},
	} {
		if got := s.post("", plain(t, 9, 9, 9), c.header, c.value); got.status != c.want {
			t.Errorf("%s: %s: %+v", c.header, c.value, got)
		}
	}
}

// A form is a form in any case of letters.
func TestFormInCapitals(t *testing.T) {
	s := start(t, &fake{}, nil)
	kind, body := form(t, nil, upload{"a.png", plain(t, 9, 9, 9)}, upload{"b.png", plain(t, 9, 9, 9)})
	kind = strings.Replace(kind, "multipart/form-data", "Multipart/Form-Data", 1)
	if got := s.send(http.MethodPost, "/v1/score", kind, body); got.status != http.StatusOK || len(got.rows(t)) != 2 {
		t.Errorf("%+v", got)
	}
}
