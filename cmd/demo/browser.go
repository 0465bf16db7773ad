package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
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

// where posts a form and returns the path of the page to which it leads.
func (b *browser) where(ctx context.Context, path string, form url.Values) (string, error) {
	stays := b.client
	stays.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := stays.Do(req)
	if err != nil {
		return "", err
	}
	if err := resp.Body.Close(); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusSeeOther {
		return "", fmt.Errorf("%s is answered by %d", path, resp.StatusCode)
	}
	to, _, _ := strings.Cut(resp.Header.Get("Location"), "?")
	return to, nil
}

// upload chooses a file in the form of a page, and sends it.
func (b *browser) upload(ctx context.Context, path, name string, content []byte) error {
	page, _, err := b.ask(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("session", strings.Join(sessionOf(page), "")); err != nil {
		return err
	}
	file, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = file.Write(content)
	}
	if err := errors.Join(err, form.Close()); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+path, &body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	resp, err := b.client.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is answered by %d", path, resp.StatusCode)
	}
	return nil
}

// sessionOf returns the value of the field session of a page's forms.
func sessionOf(page string) []string {
	found := sessionField.FindStringSubmatch(page)
	if found == nil {
		return nil
	}
	return found[1:]
}

var sessionField = regexp.MustCompile(`name="session" value="([^"]+)"`)
