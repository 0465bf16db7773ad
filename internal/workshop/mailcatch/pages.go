package mailcatch

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

//go:embed pages
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"linked": linked,
	"when":   func(t time.Time) string { return t.Local().Format("2 Jan 2006, 15:04:05") },
	"size":   func(b []byte) string { return fmt.Sprintf("%d kB", (len(b)+1023)/1024) },
}).ParseFS(files, "pages/*.html"))

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.inbox)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "pages/style.css") })
	mux.HandleFunc("GET /authenticator", s.authenticator)
	mux.HandleFunc("GET /authenticator.json", s.authenticatorList)
	mux.HandleFunc("GET /messages.json", s.list)
	mux.HandleFunc("GET /messages/{id}", s.show)
	mux.HandleFunc("GET /messages/{id}/html", s.html)
	mux.HandleFunc("GET /messages/{id}/attachments/{n}", s.attachment)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) inbox(w http.ResponseWriter, _ *http.Request) {
	render(w, "inbox.html", s.Messages())
}

func (s *Server) list(w http.ResponseWriter, _ *http.Request) {
	all := s.Messages()
	if all == nil {
		all = []Message{}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(all) // fails only if the reader has disconnected
}

// show serves a message's page and, for a path that ends in .eml, its bytes.
func (s *Server) show(w http.ResponseWriter, r *http.Request) {
	id, raw := strings.CutSuffix(r.PathValue("id"), ".eml")
	m, ok := s.Message(id)
	switch {
	case !ok:
		http.NotFound(w, r)
	case raw:
		w.Header().Set("Content-Type", "message/rfc822")
		_, _ = w.Write(m.Raw)
	default:
		email, err := m.Email()
		render(w, "message.html", struct {
			Message
			Email
			From, To, Date string
			Problem        error
		}{m, email, field(email, "From", m.From), field(email, "To", m.To), email.Header.Get("Date"), err})
	}
}

// field returns a header field in readable characters, or the envelope's value if there is none.
func field(l Email, name, envelope string) string {
	if text, err := l.Header.Text(name); err == nil && text != "" {
		return text
	}
	return envelope
}

var head = regexp.MustCompile(`(?i)<head(\s[^>]*)?>`)

// html serves the HTML part for the frame of the message's page: no script runs, nothing is loaded, links open in a new
// window.
func (s *Server) html(w http.ResponseWriter, r *http.Request) {
	m, ok := s.Message(r.PathValue("id"))
	email, _ := m.Email()
	if !ok || email.HTML == "" {
		http.NotFound(w, r)
		return
	}
	const base = `<base target="_blank">`
	page := base + email.HTML
	if at := head.FindStringIndex(email.HTML); at != nil {
		page = email.HTML[:at[1]] + base + email.HTML[at[1]:]
	}
	w.Header().Set("Content-Security-Policy",
		"sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src "+
			"data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(page))
}

func (s *Server) attachment(w http.ResponseWriter, r *http.Request) {
	m, _ := s.Message(r.PathValue("id"))
	email, _ := m.Email()
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 || n >= len(email.Attachments) {
		http.NotFound(w, r)
		return
	}
	a := email.Attachments[n]
	w.Header().Set("Content-Type", a.Type)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.Name}))
	_, _ = w.Write(a.Body)
}

func render(w http.ResponseWriter, page string, data any) {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, page, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(out.Bytes())
}

// A run is a piece of plain text. It is a link if Link is set.
type run struct {
	Text string
	Link bool
}

var address = regexp.MustCompile(`https?://[^\s<>"]*[^\s<>".,;:!?)]`)

// linked splits plain text at the addresses in it.
func linked(text string) []run {
	var runs []run
	for text != "" {
		at := address.FindStringIndex(text)
		if at == nil {
			return append(runs, run{Text: text})
		}
		runs = append(runs, run{Text: text[:at[0]]}, run{Text: text[at[0]:at[1]], Link: true})
		text = text[at[1]:]
	}
	return runs
}
