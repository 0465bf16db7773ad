package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func status(t *testing.T, url string) int {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestServersComeAndGo(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Servers: 2})
	second := s.Servers()[1]
	require.NotEqual(t, s.URL(), second.URL())
	for _, server := range s.Servers() {
		require.Equal(t, http.StatusOK, status(t, server.URL()+"/give/csio"))
	}

	s.Kill()
	require.False(t, s.Running())
	_, err := http.Get(s.URL() + "/healthz")
	require.Error(t, err)
	require.Equal(t, http.StatusOK, status(t, second.URL()+"/readyz"), "the others go on")
	s.Restart()
	require.Equal(t, http.StatusOK, status(t, s.URL()+"/give/csio"))

	require.NoError(t, s.Stop(), "asked to, it ends with status 0")
	require.Error(t, s.Stop())
	require.Contains(t, s.Log(), `"msg":"stopping"`)
	require.NotContains(t, second.Log(), `"msg":"stopping"`)

	require.JSONEq(t, `[]`, s.Konbit("ledger", "balance", "--json"))
	_, err = s.TryKonbit("ledger", "balance", "--org", "nobody")
	require.ErrorContains(t, err, "nobody")
}
