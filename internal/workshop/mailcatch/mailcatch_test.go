package mailcatch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// awkward contains what SMTP software often gets wrong: a dot at a line's start, a line with only a dot, bytes over
// 127, trailing spaces, no line end at the end.
const awkward = "From: =?UTF-8?Q?TSNE_Misi=C3=B3n?= <gifts@tsne.example>\r\n" +
	"To: Ana <ana@donor.example>\r\n" +
	"Subject: =?UTF-8?Q?Gracias_por_su_donaci=C3=B3n?=\r\n" +
	"Message-ID: <receipt-7@tsne.example>\r\n" +
	"Date: Fri, 20 Nov 2026 10:00:00 -0500\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=outer\r\n\r\n" +
	"--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n" +
	"--inner\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
	".dot\r\n.\r\n..two\r\nDonación: see https://konbit.example/s?t=1&u=2.   \r\n" +
	"--inner\r\nContent-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
	"<html><head><title>x</title></head><body><p>Donaci=F3n</p><script>alert(1)</script></body></html>\r\n" +
	"--inner--\r\n" +
	"--outer\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"receipt 7.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
	"JVBERi0xLjQK\r\n--outer--\r\n"

func catcher(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// send speaks SMTP with the standard library's client, which shares no code with the server.
func send(s *Server, raw string) error {
	return smtp.SendMail(s.SMTPAddr(), nil, "bounce@tsne.example", []string{"ana@donor.example", "copy@donor.example"}, []byte(raw))
}

func get(t *testing.T, s *Server, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestRoundTripKeepsEveryByte(t *testing.T) {
	s := catcher(t, Options{})
	every := make([]byte, 0, 512)
	for b := range 256 {
		if b != '\r' && b != '\n' {
			every = append(every, byte(b))
		}
	}
	for _, raw := range []string{awkward, "Subject: bytes\r\n\r\n" + string(every) + "\r\n", "no header at all\r\n"} {
		require.NoError(t, send(s, raw))
		newest := s.Messages()[0]
		require.Equal(t, raw, string(newest.Raw))
		answer := get(t, s, "/messages/"+newest.ID+".eml")
		require.Equal(t, raw, answer.Body.String())
		require.Equal(t, "message/rfc822", answer.Header().Get("Content-Type"))
		require.Equal(t, http.StatusOK, get(t, s, "/messages/"+newest.ID).Code)
	}
}

func TestListIsNewestFirst(t *testing.T) {
	at := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	s := catcher(t, Options{Now: func() time.Time { return at }})
	require.JSONEq(t, `[]`, get(t, s, "/messages.json").Body.String())
	require.Contains(t, get(t, s, "/").Body.String(), "No email yet")
	require.NoError(t, send(s, "Subject: first\r\n\r\n"))
	require.NoError(t, send(s, awkward))

	var list []map[string]string
	require.NoError(t, json.Unmarshal(get(t, s, "/messages.json").Body.Bytes(), &list))
	require.Len(t, list, 2)
	require.Equal(t, map[string]string{
		"id": list[0]["id"], "from": "gifts@tsne.example", "to": "ana@donor.example, copy@donor.example",
		"subject": "Gracias por su donación", "message_id": "receipt-7@tsne.example", "received": "2026-11-20T15:00:00Z",
	}, list[0])
	require.Equal(t, "bounce@tsne.example", list[1]["from"], "the envelope speaks where the header does not")
	require.NotEqual(t, list[0]["id"], list[1]["id"])
	inbox := get(t, s, "/").Body.String()
	require.Less(t, strings.Index(inbox, "Gracias"), strings.Index(inbox, "first"))
}

func TestMessagePages(t *testing.T) {
	s := catcher(t, Options{})
	require.NoError(t, send(s, awkward))
	path := "/messages/" + s.Messages()[0].ID

	page := get(t, s, path).Body.String()
	for _, want := range []string{"Gracias por su donación", "TSNE Misión", "receipt 7.pdf", "\n.\n..two\n",
		`href="https://konbit.example/s?t=1&amp;u=2"`, `src="` + path + `/html"`} {
		require.Contains(t, strings.ReplaceAll(page, "\r\n", "\n"), want)
	}
	require.NotContains(t, page, "<script>")

	html := get(t, s, path+"/html")
	require.Contains(t, html.Body.String(), `<head><base target="_blank">`)
	require.Contains(t, html.Body.String(), "Donación", "as UTF-8, whatever it came as")
	require.Regexp(t, `^sandbox [^;]*; default-src 'none'`, html.Header().Get("Content-Security-Policy"))
	require.NotContains(t, html.Header().Get("Content-Security-Policy"), "allow-scripts")

	pdf := get(t, s, path+"/attachments/0")
	require.Equal(t, "%PDF-1.4\n", pdf.Body.String())
	require.Equal(t, "application/pdf", pdf.Header().Get("Content-Type"))
	require.Contains(t, pdf.Header().Get("Content-Disposition"), `filename="receipt 7.pdf"`)

	for _, absent := range []string{"/messages/none", "/messages/none.eml", "/messages/none/html", path + "/attachments/1", path + "/attachments/-1", "/messages/..%2f..%2fgo.mod"} {
		require.Equal(t, http.StatusNotFound, get(t, s, absent).Code, absent)
	}
}

func TestDirectoryKeepsMessages(t *testing.T) {
	dir := t.TempDir()
	before := catcher(t, Options{Dir: dir})
	for _, subject := range []string{"one", "two", "three"} {
		require.NoError(t, send(before, "Subject: "+subject+"\r\n\r\n.\r\n"))
	}
	require.NoError(t, before.Close())

	after := catcher(t, Options{Dir: dir})
	require.Equal(t, before.Messages(), after.Messages())
	require.NoError(t, send(after, awkward))
	require.Len(t, after.Messages(), 4)
	require.Equal(t, "receipt-7@tsne.example", after.Messages()[0].MessageID)
}

func TestWaitFor(t *testing.T) {
	s := catcher(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := s.WaitFor(ctx, 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	sent := make(chan error, 1)
	go func() { sent <- errors.Join(send(s, awkward), send(s, awkward)) }()
	got, err := s.WaitFor(t.Context(), 2)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.NoError(t, <-sent)
}

func TestFaultRefuse(t *testing.T) {
	s := catcher(t, Options{})
	kept, err := smtp.Dial(s.SMTPAddr())
	require.NoError(t, err)
	s.SetFault(Fault{Kind: Refuse})
	_, err = net.Dial("tcp", s.SMTPAddr())
	require.Error(t, err)
	require.Error(t, kept.Noop(), "an open connection must be closed")
	s.SetFault(Fault{})
	require.NoError(t, send(s, awkward), "at the same address as before")
}

func TestFaultAnswers(t *testing.T) {
	for kind, code := range map[Kind]int{Defer: 451, Reject: 550} {
		s := catcher(t, Options{})
		s.SetFault(Fault{Kind: kind, Every: 2})
		require.NoError(t, send(s, awkward))
		err := send(s, awkward)
		var answer *textproto.Error
		require.ErrorAs(t, err, &answer)
		require.Equal(t, code, answer.Code)
		require.NoError(t, send(s, awkward))
		require.Len(t, s.Messages(), 2)
	}
}

func TestFaultHang(t *testing.T) {
	s := catcher(t, Options{})
	open, err := smtp.Dial(s.SMTPAddr())
	require.NoError(t, err)
	s.SetFault(Fault{Kind: Hang})
	conn, err := net.Dial("tcp", s.SMTPAddr())
	require.NoError(t, err, "the server must accept the connection")
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	_, err = conn.Read(make([]byte, 1))
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout(), "and says nothing")
	answered := make(chan error, 1)
	go func() { answered <- open.Noop() }()
	select {
	case err := <-answered:
		t.Fatalf("a connection opened before was answered: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	s.SetFault(Fault{})
	require.NoError(t, <-answered)
	require.NoError(t, send(s, awkward))
}

func TestFaultCutAfterDotKeepsTheMessage(t *testing.T) {
	s := catcher(t, Options{})
	s.SetFault(Fault{Kind: CutAfterDot})
	err := send(s, awkward)
	require.True(t, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "reset"), "%v", err)
	require.Len(t, s.Messages(), 1)
	require.Equal(t, awkward, string(s.Messages()[0].Raw))
	require.True(t, s.Messages()[0].Cut)
	require.Len(t, s.Dials(), 1)
}

func TestAnyPasswordIsAccepted(t *testing.T) {
	s := catcher(t, Options{})
	auth := smtp.PlainAuth("", "konbit", "secret", "127.0.0.1")
	require.NoError(t, smtp.SendMail(s.SMTPAddr(), auth, "a@x.example", []string{"b@y.example"}, []byte(awkward)))
}

func TestUnreadableMessageStillHasAPage(t *testing.T) {
	s := catcher(t, Options{})
	require.NoError(t, send(s, "Content-Type: multipart/mixed\r\nSubject: broken\r\n\r\n--x\r\n"))
	require.Equal(t, http.StatusOK, get(t, s, "/messages/"+s.Messages()[0].ID).Code)
	_, err := Message{ID: "1", Raw: bytes.Repeat([]byte{0}, 10)}.Email()
	require.Error(t, err)
}

func TestLinked(t *testing.T) {
	require.Equal(t, []run{{Text: "see "}, {"https://a.example/x", true}, {Text: ", or ("}, {"http://b.example", true}, {Text: ")."}},
		linked("see https://a.example/x, or (http://b.example)."))
}
