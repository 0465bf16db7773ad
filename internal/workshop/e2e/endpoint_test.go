package e2e

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// doctorFinding is one finding of `konbit doctor`.
func (s *Stack) doctorFinding(at string) (found struct {
	Check, Fix, Note string
	OK               bool
}) {
	s.t.Helper()
	output, _ := s.TryKonbit("doctor", "--json") // it may report other problems too
	var all []struct {
		Check, Fix, Note string
		OK               bool
	}
	require.NoError(s.t, json.Unmarshal([]byte(output), &all), output)
	for _, f := range all {
		if f.Check == at {
			return f
		}
	}
	s.t.Fatalf("the doctor did not check %q: %s", at, output)
	return found
}

// TestEndpointByCommand starts without a webhook endpoint, as a new installation does. One command creates it and
// prints its secret, and then gifts settle.
func TestEndpointByCommand(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Stopped: true})
	const checkName = "webhook endpoint of tsne"
	var there struct{ Data []struct{ ID string } }
	require.NoError(t, json.Unmarshal(s.stripeAPI(http.MethodGet, "tsne", "/v1/webhook_endpoints", nil), &there))
	for _, e := range there.Data {
		s.stripeAPI(http.MethodDelete, "tsne", "/v1/webhook_endpoints/"+e.ID, nil)
	}
	secret := PerEntity("STRIPE_WEBHOOK_SECRET", "tsne")
	delete(s.settings, secret)
	output, err := s.TryKonbit("serve")
	s.failed(err)
	require.ErrorContains(t, err, secret+" is not set: konbit stripe endpoint --entity tsne", output)

	var made struct{ ID, URL, Secret, Done string }
	out := s.Konbit("stripe", "endpoint", "--entity", "tsne", "--json")
	require.NoError(t, json.Unmarshal([]byte(out), &made))
	require.Equal(t, "created", made.Done)
	require.Equal(t, s.URL()+"/hooks/stripe/tsne", made.URL)
	s.settings[secret] = made.Secret
	require.True(t, s.doctorFinding(checkName).OK)
	again := s.Konbit("stripe", "endpoint", "--entity", "tsne")
	require.Contains(t, again, made.ID+" unchanged")
	require.NotContains(t, again, "whsec_")

	s.Restart()
	s.give("csio", "First")
	s.waitForEmails(1)

	receipts := s.doctorFinding("receipts of tsne are sent by Konbit only")
	require.True(t, receipts.OK)
	require.Contains(t, receipts.Note, "unknown with a test key")
	s.stripeAPI(http.MethodPost, "tsne", "/v1/webhook_endpoints/"+made.ID, map[string][]string{"disabled": {"true"}})
	finding := s.doctorFinding(checkName)
	require.False(t, finding.OK)
	require.Equal(t, made.ID+" is disabled: konbit stripe endpoint --entity tsne", finding.Fix)
	require.Contains(t, s.Konbit("stripe", "endpoint", "--entity", "tsne"), made.ID+" updated")
	require.True(t, s.doctorFinding(checkName).OK)

	elsewhere := s.Konbit("stripe", "endpoint", "--entity", "tsne", "--url", "https://other.example.org/hooks/stripe/tsne")
	require.Contains(t, elsewhere, secret+"=whsec_")
	require.True(t, s.doctorFinding(checkName).OK, "another host's endpoint is not ours")
	_, err = s.TryKonbit("stripe", "endpoint", "--entity", "nobody")
	s.failed(err)
	require.ErrorContains(t, err, "STRIPE_SECRET_KEY_NOBODY is not set")
	require.NotContains(t, s.Logs(), made.Secret)
}
