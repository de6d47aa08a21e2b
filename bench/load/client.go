// Package load sends pictures to a service from many clients at once, and sums up its answers.
package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"time"
)

// Picture is an encoded picture, and the name under which it is sent.
type Picture struct {
	Name    string
	Content []byte
}

// Read reads picture files; they are sent under their paths.
func Read(paths []string) ([]Picture, error) {
	pictures := make([]Picture, len(paths))
	for i, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading a picture to send: %w", err)
		}
		pictures[i] = Picture{path, content}
	}
	return pictures, nil
}

// Row is what a service answers about a picture, both from 0 to 1.
type Row struct {
	Score  float32 `json:"score"`
	MapMax float32 `json:"map_max"`
}

// StatusError is an answer with another status than 200.
type StatusError struct {
	Status int
	Text   string // of the answer, cut
}

func (e *StatusError) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Text) }

// Client sends pictures to POST /v1/score of one service. Any number of goroutines may use it.
type Client struct {
	url  string
	http *http.Client
}

// longest is the time after which an answer is missing.
const longest = 30 * time.Minute

// NewClient returns a Client of the service at url, which keeps up to connections open; with 0
// each request has a connection of its own. The caller closes it.
func NewClient(url string, connections int) *Client {
	transport := &http.Transport{MaxIdleConns: connections, MaxIdleConnsPerHost: connections, DisableKeepAlives: connections == 0, DisableCompression: true}
	return &Client{url, &http.Client{Transport: transport, Timeout: longest}}
}

// Close closes the connections that no request uses.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Score has a picture scored. Its error wraps a *StatusError if the service gave no score.
func (c *Client) Score(ctx context.Context, p Picture) (Row, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("picture", p.Name)
	if err == nil {
		_, err = part.Write(p.Content)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		return Row{}, fmt.Errorf("writing a form: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/v1/score", &body)
	if err != nil {
		return Row{}, err
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	var answer struct {
		Rows []Row `json:"rows"`
	}
	content, err := c.answer(request)
	if err == nil {
		err = json.Unmarshal(content, &answer)
	}
	if err == nil && len(answer.Rows) != 1 {
		err = fmt.Errorf("%d rows for one picture", len(answer.Rows))
	}
	if err != nil {
		return Row{}, fmt.Errorf("scoring %s: %w", p.Name, err)
	}
	return answer.Rows[0], nil
}

// Get returns what the service has at path.
func (c *Client) Get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	if err != nil {
		return nil, err
	}
	content, err := c.answer(request)
	if err != nil {
		return nil, fmt.Errorf("getting %s: %w", path, err)
	}
	return content, nil
}

func (c *Client) answer(request *http.Request) ([]byte, error) {
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		const most = 300
		err = &StatusError{answer.StatusCode, string(content[:min(len(content), most)])}
	}
	return content, err
}
