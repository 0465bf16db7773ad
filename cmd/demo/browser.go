package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// browser is a browser without JavaScript, on the demo's pages.
type browser struct {
	base   string
	client http.Client
}

func newBrowser(base string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	return &browser{base, http.Client{Jar: jar, Timeout: 30 * time.Second}}, err
}

// ask asks for a page and follows where it leads. It repeats a request while the server is too busy to answer: its pages have a second and
// a half.
func (b *browser) ask(ctx context.Context, method, path string, form url.Values) (page string, status int, err error) {
	for range 20 {
		req, err := http.NewRequestWithContext(ctx, method, b.base+path, strings.NewReader(form.Encode()))
		if err != nil {
			return "", 0, err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := b.client.Do(req)
		if err != nil {
			return "", 0, err
		}
		var text bytes.Buffer
		_, err = text.ReadFrom(resp.Body)
		if page, status = text.String(), resp.StatusCode; resp.Body.Close() != nil || err != nil || status != http.StatusServiceUnavailable {
			return page, status, err
		}
		time.Sleep(500 * time.Millisecond)
	}
	return page, status, nil
}

// submit posts a form. It reports an error if the answer is no page.
func (b *browser) submit(ctx context.Context, path string, form url.Values) (page string, err error) {
	page, status, err := b.ask(ctx, http.MethodPost, path, form)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s is answered by %d", path, status)
	}
	return page, err
}
