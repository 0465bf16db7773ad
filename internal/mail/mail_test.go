package mail_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/mail/difference"
	"konbit/internal/mail/transport"
	"konbit/internal/office/statement"
	"konbit/internal/view"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

func TestWordsVersionsMatchTheView(t *testing.T) {
	assert.Equal(t, view.ReceiptVersion, receipt.WordsVersion)
	assert.Equal(t, view.StatementVersion, statement.WordsVersion)
}

// receiptOf settles a donation and returns its receipt's id.
func receiptOf(t *testing.T, h *program.Program) uuid.UUID {
	t.Helper()
	d := h.SettledGift(program.ValidForm())
	id, err := uuid.Parse(h.Lines(`SELECT id::text FROM receipt WHERE donation_id = $1`, d.ID)[0])
	require.NoError(t, err)
	return id
}

// resetDeliveries removes the result of all deliveries, as after a crash between the end of DATA and the commit.
func resetDeliveries(h *program.Program) {
	h.Exec(`ALTER TABLE letter_delivery DISABLE TRIGGER USER`)
	h.Exec(`UPDATE letter_delivery SET accepted_at = NULL, refused_at = NULL`)
	h.Exec(`ALTER TABLE letter_delivery ENABLE TRIGGER USER`)
}

func TestResendSendsTheFirstBytes(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	id := receiptOf(t, h)
	require.NoError(t, h.Receipts.Mail(t.Context(), id))
	require.NoError(t, h.Receipts.Mail(t.Context(), id), "an accepted email is not sent again")
	require.Len(t, h.Mail.Messages(), 1)

	resetDeliveries(h)
	h.Exec(`UPDATE legal_entity SET legal_name = 'Another'`)
	h.Receipts.Now = func() time.Time { return time.Now().AddDate(1, 0, 0) }
	require.NoError(t, h.Receipts.Mail(t.Context(), id))
	messages := h.Mail.Messages()
	require.Len(t, messages, 2)
	assert.Equal(t, messages[1].Raw, messages[0].Raw)
	var row struct{ Content, Difference []byte }
	require.NoError(t, h.DB.Owner.Get(&row, `SELECT m.content, l.difference FROM letter l JOIN email_model m ON m.id = l.model_id WHERE l.message = ''`))
	stored, err := difference.ReadModel(row.Content).Message(row.Difference)
	require.NoError(t, err)
	unaddressed := bytes.Replace(messages[0].Raw, []byte("<ana@example.org>"), []byte("<"+transport.Unaddressed+">"), 1)
	assert.Equal(t, bytes.TrimRight(stored, "\r\n"), bytes.TrimRight(unaddressed, "\r\n"), "only the delivery has the address")
	assert.NotContains(t, string(stored), "ana@example.org")
	assert.Equal(t, "receipt."+id.String()+"@tsne.example", messages[0].MessageID)
}

func TestReceiptEmailIsComplete(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	require.NoError(t, h.Receipts.Mail(t.Context(), receiptOf(t, h)))
	message := h.Mail.Messages()[0]
	email, err := message.Email()
	require.NoError(t, err)
	assert.Equal(t, "ana@example.org", message.To)
	assert.Equal(t, "gifts@tsne.example", message.From)
	assert.Contains(t, email.Text, "$20.00")
	assert.Contains(t, email.Text, "12-3456789")
	assert.Contains(t, email.HTML, "TSNE MissionWorks")
	require.Len(t, email.Attachments, 1)
	assert.Equal(t, "application/pdf", email.Attachments[0].Type)
	assert.Regexp(t, `^TSNE-\d{4}-000001\.pdf$`, email.Attachments[0].Name)
	assert.True(t, bytes.HasPrefix(email.Attachments[0].Body, []byte("%PDF-")))
	assert.Equal(t, "<receipts.tsne.tsne.example>", email.Header.Get("List-Id"))
	assert.Equal(t, "auto-generated", email.Header.Get("Auto-Submitted"))
}

func TestConnectionCutAfterDataResends(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	id := receiptOf(t, h)
	h.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.CutAfterDot})
	require.Error(t, h.Receipts.Mail(t.Context(), id), "without the server's reply it is not accepted")
	h.Mail.SetFault(mailcatch.Fault{})
	require.NoError(t, h.Receipts.Mail(t.Context(), id))
	messages := h.Mail.Messages()
	require.Len(t, messages, 2, "sent at least once")
	assert.Equal(t, messages[0].Raw, messages[1].Raw)
	assert.Equal(t, messages[0].MessageID, messages[1].MessageID)
}

func TestTemporaryFailureIsRetried(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]mailcatch.Kind{"deferred": mailcatch.Defer, "refusing connections": mailcatch.Refuse} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := program.New(t, program.Options{})
			h.Mail.SetFault(mailcatch.Fault{Kind: kind})
			id := receiptOf(t, h)
			h.StartWorkers()
			testkit.Eventually(t, 10*time.Second, func() error {
				if n := h.Count(`SELECT coalesce(max(cardinality(errors)), 0) FROM river_job`); n < 1 {
					return fmt.Errorf("%d tries failed", n)
				}
				return nil
			})
			h.Mail.SetFault(mailcatch.Fault{})
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			messages, err := h.Mail.WaitFor(ctx, 1)
			require.NoError(t, err)
			assert.Contains(t, messages[0].MessageID, id.String())
			assert.NotContains(t, strings.Join(h.Lines(`SELECT errors::text FROM river_job WHERE errors IS NOT NULL`), ""), "example.org", "a job's error contains no address")
		})
	}
}

func TestPermanentRefusalIsRecordedOnce(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.Fake.Advance(365 * 24 * time.Hour)
	h.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.Reject})
	id := receiptOf(t, h)
	for range 3 {
		require.NoError(t, h.Receipts.Mail(t.Context(), id))
	}
	assert.Equal(t, []string{"1 true true"}, h.Lines(`SELECT format('%s %s %s', tries, (smtp_reply LIKE 'smtp: 550% at RCPT')::text, (refused_at IS NOT NULL)::text) FROM letter_delivery`))
	assert.Equal(t, 1, h.Count(`SELECT count(*) FROM finance_task WHERE kind = 'letter_refused'`))
	assert.Equal(t, 1, h.Count(`SELECT count(*) FROM finance_task WHERE opened_at > now() + interval '364 days'`), "a task has the business clock's time")
	assert.Equal(t, 1, h.Count(`SELECT count(*) FROM letter_delivery WHERE refused_at <= now()`), "and an email the machine's")
	assert.NotContains(t, h.Log.String(), "example.org")
}

// countConnections forwards connections to a server and counts them.
func countConnections(t *testing.T, to string) (address string, connections *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	connections = &atomic.Int64{}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
		}
	}()
	return "smtp://" + l.Addr().String(), connections
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	catcher, err := mailcatch.New(mailcatch.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = catcher.Close() })
	address, connections := countConnections(t, catcher.SMTPAddr())
	by, err := transport.New(address, "Bounces <bounces@konbit.example>", 2)
	require.NoError(t, err)
	t.Cleanup(by.Close)
	for i := range 20 {
		_, err := by.Send(t.Context(), "A <a@example.org>", "b@example.org", []byte(fmt.Sprintf("Subject: %d\r\n\r\nHello\r\n", i)))
		require.NoError(t, err)
	}
	assert.EqualValues(t, 1, connections.Load())
	assert.Len(t, catcher.Messages(), 20)

	catcher.SetFault(mailcatch.Fault{Kind: mailcatch.Refuse}) // the server restarts, and closes the idle connections
	catcher.SetFault(mailcatch.Fault{})
	_, err = by.Send(t.Context(), "a@example.org", "b@example.org", []byte("Subject: x\r\n\r\nHello\r\n"))
	require.NoError(t, err)
	assert.Len(t, catcher.Messages(), 21)
}

func catcher(t *testing.T) *mailcatch.Server {
	t.Helper()
	server, err := mailcatch.New(mailcatch.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func emailTo(name, subject string) mail.Email {
	return mail.Email{
		ID: uuid.New(), Kind: "receipt", List: "receipts", Sender: "tsne", From: "TSNE <gifts@tsne.example>", To: "ana@example.org", ToName: name,
		Subject: subject, Text: "Hello " + name, HTML: "<p>Hello</p>", Language: "en", Date: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		Document: &mail.Document{Name: "TSNE-2026-000001.pdf", PDF: []byte("%PDF-1.4")},
	}
}

// headers returns the names of a message's header fields, sorted, and the message.
func headers(t testing.TB, raw []byte) ([]string, *netmail.Message) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	require.NoError(t, err)
	var names []string
	for name, values := range m.Header {
		require.Len(t, values, 1, name)
		names = append(names, name)
	}
	slices.Sort(names)
	return names, m
}

// TestHostileNames composes emails to ten thousand names made of text that breaks headers: the header fields do not
// change, and there is one recipient.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	plain, err := mail.Compose(emailTo("Ana", "Hello"), nil)
	require.NoError(t, err)
	want, _ := headers(t, plain)
	pieces := []string{"\r\n", "\n", "\r", "Bcc: x@y.z", "Bcc:", "<x@y.z>", ",", ";", "\"", "\\", "(", ")", "=?utf-8?q?", "?=", "é", "ñ", "Nguyễn", "😀", "\u202e", "\u2028", " ", "\t", "a",
		"@", ".\r\n", "RCPT TO:<x@y.z>", "\x00", "\x7f", "\xff", "%0d%0a", "X-Evil: 1", strings.Repeat("w", 80), "--", "Content-Type: text/html"}
	chance := uint64(1)
	next := func(n int) int { // a xorshift: the same names in every run
		chance ^= chance << 13
		chance ^= chance >> 7
		chance ^= chance << 17
		return int(chance % uint64(n))
	}
	for range 10_000 {
		var name, subject strings.Builder
		for range 1 + next(6) {
			name.WriteString(pieces[next(len(pieces))])
			subject.WriteString(pieces[next(len(pieces))])
		}
		raw, err := mail.Compose(emailTo(name.String(), subject.String()), nil)
		if err != nil {
			require.NotContains(t, err.Error(), "ana@example.org")
			continue
		}
		got, m := headers(t, raw)
		require.Equal(t, want, got, "%q %q", name.String(), subject.String())
		to, err := m.Header.AddressList("To")
		require.NoError(t, err, "%q: %q", name.String(), m.Header.Get("To"))
		require.Len(t, to, 1, "%q", name.String())
		require.Equal(t, "ana@example.org", to[0].Address)
	}
}

func TestHostileRecipients(t *testing.T) {
	t.Parallel()
	catcher, err := mailcatch.New(mailcatch.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = catcher.Close() })
	by, err := transport.New(catcher.SMTPURL(), "", 2)
	require.NoError(t, err)
	t.Cleanup(by.Close)
	for _, to := range []string{"a@b.c\r\nRCPT TO:<x@y.z>", "a@b.c>\r\nRCPT TO:<x@y.z", "a@b.c\nDATA", "a@b.c\r\n.\r\nMAIL FROM:<x@y.z>"} {
		_, err := by.Send(t.Context(), "a@example.org", to, []byte("Subject: x\r\n\r\nHello\r\n"))
		assert.Error(t, err, "%q", to)
		_, err = mail.Compose(mail.Email{ID: uuid.New(), Kind: "receipt", From: "a@example.org", To: to}, nil)
		assert.Error(t, err, "%q", to)
	}
	for _, m := range catcher.Messages() {
		assert.NotContains(t, m.To, "x@y.z")
	}
}
