package bench

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	konbitmail "konbit/internal/mail"
	"konbit/internal/mail/transport"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/templates"
)

// mail renders, composes and sends receipts as the email job does, but without the job's own rows. The line
// "by jobs" includes them, with the whole program.
var mail = Row{
	Name: "mail",
	Claim: "receipts composed and sent to a mail server that discards them over 8 open connections, compared with a " +
		"bare SMTP client that sends the same bytes over 8",
	Measure: func(t testing.TB, m *Meter) {
		address := discardServer(t)
		writer := newWriter(t)
		kept, each := newTransport(t, address, connections), newTransport(t, address, 0)
		n := m.Size(4000, 1000)
		text, document := writer.receiptEmail(false), writer.receiptEmail(true)
		m.Interleave(
			func() { m.Note("konbit", writer.send(kept, n, false)) },
			func() { m.Note("bare", sendBytes(t, address, n, text)) },
			func() { m.Note("kept", sendRepeatedly(t, kept, n, text)) },
			func() { m.Note("one connection each", sendRepeatedly(t, each, n/2, text)) },
			func() { m.Note("konbit with PDF", writer.send(kept, n/10, true)) },
			func() { m.Note("bare with PDF", sendBytes(t, address, n/4, document)) },
		)
		m.Compare("HTML and text", "emails/s", "konbit", "bare", AtLeast(0.3))
		m.Compare("kept connections", "emails/s", "kept", "one connection each", AtLeast(1.8))
		m.Compare("with PDF", "emails/s", "konbit with PDF", "bare with PDF", Shown)
	},
}

const connections = 8

// discardServer accepts mail and discards it.
func discardServer(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) { return discardSession{}, nil }))
	server.Domain = "sink.localhost"
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

type discardSession struct{}

func (discardSession) Reset()                                 {}
func (discardSession) Logout() error                          { return nil }
func (discardSession) Mail(string, *gosmtp.MailOptions) error { return nil }
func (discardSession) Rcpt(string, *gosmtp.RcptOptions) error { return nil }
func (discardSession) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

func newTransport(t testing.TB, address string, keep int) *transport.Transport {
	t.Helper()
	tr, err := transport.New("smtp://"+address, "bounces@konbit.example", keep)
	require.NoError(t, err)
	t.Cleanup(tr.Close)
	return tr
}

// writer composes receipt emails.
type writer struct {
	t    testing.TB
	view *view.View
}

func newWriter(t testing.TB) writer {
	t.Helper()
	words, err := view.LoadWords(templates.FS)
	require.NoError(t, err)
	v, err := view.New(templates.FS, words)
	require.NoError(t, err)
	return writer{t, v}
}

const donor = "donor@donor.example"

// receiptEmail returns the email of a receipt as its job composes it.
func (w writer) receiptEmail(pdf bool) []byte {
	gift := money.New(2000, "USD")
	words := view.ReceiptWords{
		Version: 1, Language: "en", Number: "2026-000123", Organisation: "Center to Support Immigrant Organizing", Sponsored: true, Accent: "#7a1f1f",
		Donee: view.Donee{Name: "TSNE MissionWorks", EIN: "12-3456789", Address: []string{"1 Example Street", "Boston, MA 02111"}},
		Donor: "Donor Example", Greeting: "Donor", Amount: gift, Charged: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
		Purposes: []view.Purpose{{Fund: "Where it is needed most", Purpose: "the work of the Center to Support Immigrant Organizing", Amount: gift}},
	}
	l := konbitmail.Email{
		ID: uuid.Must(uuid.NewV7()), Kind: "receipt", List: "receipts", Sender: "tsne", From: "TSNE MissionWorks <gifts@tsne.example>",
		To: donor, ToName: "Donor Example", Language: "en", Date: time.Now(),
	}
	var err error
	l.Subject, l.Text, l.HTML, err = w.view.ReceiptEmail(words)
	require.NoError(w.t, err)
	if pdf {
		document, err := w.view.ReceiptPDF(words)
		require.NoError(w.t, err)
		l.Document = &konbitmail.Document{Name: words.Number + ".pdf", PDF: document}
	}
	message, err := konbitmail.Compose(l, nil)
	require.NoError(w.t, err)
	return message
}

// send composes and sends n emails, eight at once, and returns the emails a second.
func (w writer) send(by *transport.Transport, n int, pdf bool) float64 {
	return sendEach(w.t, by, n, func() []byte { return w.receiptEmail(pdf) })
}

// sendRepeatedly sends one email repeatedly: it measures the mail server and the connection only.
func sendRepeatedly(t testing.TB, by *transport.Transport, n int, message []byte) float64 {
	return sendEach(t, by, n, func() []byte { return message })
}

func sendEach(t testing.TB, by *transport.Transport, n int, message func() []byte) float64 {
	return inParallel(t, n, func(next func() bool) error {
		for next() {
			if _, err := by.Send(t.Context(), "gifts@tsne.example", donor, message()); err != nil {
				return err
			}
		}
		return nil
	})
}

// sendBytes sends the same bytes repeatedly.
func sendBytes(t testing.TB, address string, n int, message []byte) float64 {
	return inParallel(t, n, func(next func() bool) error {
		c, err := smtp.Dial(address)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.Hello("bench.localhost"); err != nil {
			return err
		}
		for next() {
			if err := sendOverConnection(c, message); err != nil {
				return err
			}
		}
		return c.Quit()
	})
}

func sendOverConnection(c *smtp.Client, message []byte) error {
	if err := c.Mail("bounces@konbit.example"); err != nil {
		return err
	}
	if err := c.Rcpt(donor); err != nil {
		return err
	}
	body, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := bytes.NewReader(message).WriteTo(body); err != nil {
		return err
	}
	return body.Close()
}

// inParallel calls do in eight goroutines, n times in all, and returns the calls a second. next returns false
// when n is reached.
func inParallel(t testing.TB, n int, do func(next func() bool) error) float64 {
	t.Helper()
	var taken atomic.Int64
	var all sync.WaitGroup
	failures := make(chan error, connections)
	began := time.Now()
	for range connections {
		all.Go(func() {
			if err := do(func() bool { return int(taken.Add(1)) <= n }); err != nil {
				failures <- fmt.Errorf("bench: %w", err)
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	close(failures)
	require.NoError(t, <-failures)
	return float64(n) / took.Seconds()
}
