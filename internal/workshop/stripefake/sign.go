package stripefake

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// webhook is a webhook request to send: the address, the body, and the secrets that sign it.
type webhook struct {
	url     string
	body    []byte
	secrets []string
}

// webhookFor returns the request that delivers an event to its endpoint, in the endpoint's API version. It returns
// false if the endpoint was deleted or is disabled.
func (s *Server) webhookFor(p *delivery) (webhook, bool) {
	s.mu.Lock()
	defer s.unlock()
	ev, endpoint := p.a.get("event", p.event), p.a.get("webhook_endpoint", p.endpoint)
	if ev == nil || endpoint == nil || endpoint.flag("deleted") || endpoint.str("status") != "enabled" {
		return webhook{}, false
	}
	body, err := json.MarshalIndent(ev.with(object{"api_version": or(endpoint.str("api_version"), APIVersion)}), "", "  ")
	if err != nil {
		return webhook{}, false
	}
	return webhook{url: endpoint.str("url"), body: body, secrets: p.a.Secrets[p.endpoint]}, true
}

// post sends a webhook once. It reads a limited part of the response body, so that the connection can be reused.
func (c *sender) post(ctx context.Context, l webhook) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(l.body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
	req.Header.Set("Stripe-Signature", Sign(c.s.opts.Wall(), l.body, l.secrets...))
	res, err := c.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.CopyN(io.Discard, res.Body, 1<<16)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return res.StatusCode, err
}

// Sign returns the Stripe-Signature header of a body: its time and an HMAC-SHA256 of "t.body" with each secret
// (docs.stripe.com/webhooks#verify-manually).
func Sign(at time.Time, body []byte, secrets ...string) string {
	var header strings.Builder
	fmt.Fprintf(&header, "t=%d", at.Unix())
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "%d.", at.Unix())
		mac.Write(body)
		header.WriteString(",v1=" + hex.EncodeToString(mac.Sum(nil)))
	}
	return header.String()
}
