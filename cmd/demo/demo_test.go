package main

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/setup"
)

func TestConfigure(t *testing.T) {
	set := map[string]string{"DEMO_ADDR": ":9", "DEMO_DIR": "/srv/demo", "DEMO_MAIL_ADDR": ""}
	c, err := configure(func(name string) string { return set[name] })
	require.NoError(t, err)
	require.Equal(t, config{dir: "/srv/demo", addr: ":9", cardAddr: "127.0.0.1:8081", mailAddr: "127.0.0.1:8082", history: true}, c)
	set["DEMO_HISTORY"] = "off"
	c, err = configure(func(name string) string { return set[name] })
	require.NoError(t, err)
	require.False(t, c.history)
	set["DEMO_HISTORY"] = "of"
	_, err = configure(func(name string) string { return set[name] })
	require.ErrorContains(t, err, "DEMO_HISTORY=of")
}

func TestAddressInUseNamesItsSetting(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	free := "127.0.0.1:0"
	for setting, c := range map[string]config{
		"DEMO_ADDR":      {addr: l.Addr().String(), cardAddr: free, mailAddr: free},
		"DEMO_CARD_ADDR": {addr: free, cardAddr: l.Addr().String(), mailAddr: free},
		"DEMO_MAIL_ADDR": {addr: free, cardAddr: free, mailAddr: l.Addr().String()},
	} {
		t.Run(setting, func(t *testing.T) {
			c.dir = t.TempDir()
			err := run(t.Context(), c, io.Discard)
			require.ErrorContains(t, err, l.Addr().String()+" is in use")
			require.ErrorContains(t, err, setting+"=")
			require.NoDirExists(t, dataDirInside(c.dir), "nothing is started if an address is in use")
		})
	}
}

func TestWebAddress(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080",
		"0.0.0.0:8080":   "http://localhost:8080",
		"[::]:8080":      "http://localhost:8080",
		":8080":          "http://localhost:8080",
		"konbit.lan:80":  "http://konbit.lan:80",
		"[::1]:8080":     "http://[::1]:8080",
	} {
		t.Run(addr, func(t *testing.T) {
			require.Equal(t, want, webAddress(addr))
		})
	}
}

func TestPageAddressIsNoIPAddressOfThisMachine(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "http://localhost:8080",
		"[::1]:8080":     "http://localhost:8080",
		":8080":          "http://localhost:8080",
		"10.0.0.7:8080":  "http://10.0.0.7:8080",
		"konbit.lan:80":  "http://konbit.lan:80",
	} {
		require.Equal(t, want, pageAddress(addr))
	}
}

func TestPerEntity(t *testing.T) {
	require.Equal(t, "STRIPE_SECRET_KEY_GRASSROOTS_INTERNATIONAL", perEntity("STRIPE_SECRET_KEY", "grassroots-international"))
}

func TestSettingsFile(t *testing.T) {
	dir := t.TempDir()
	awkward := `postgres://a@/b?host=%2Ftmp&x=$HOME "quoted" \n # not a comment`
	first := settings{"DATABASE_URL": awkward}
	first.setSecret(readEarlier(dir), "SECRET_KEY", "")
	require.Len(t, first["SECRET_KEY"], 64)
	require.NoError(t, first.write(dir))

	info, err := os.Stat(envPath(dir))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	out, err := exec.Command("sh", "-c", `set -a; . "$1"; exec printenv DATABASE_URL`, "sh", envPath(dir)).Output()
	require.NoError(t, err)
	require.Equal(t, awkward+"\n", string(out))

	next := settings{}
	next.setSecret(readEarlier(dir), "SECRET_KEY", "")
	require.Equal(t, first["SECRET_KEY"], next["SECRET_KEY"])
	require.ErrorContains(t, settings{"MAIL_FROM": "O'Brien <o@x.example>"}.write(dir), "MAIL_FROM")
}

func TestDeclaredOrganisations(t *testing.T) {
	declared, err := os.ReadFile("demo.yaml")
	require.NoError(t, err)
	file, err := setup.Read("demo.yaml", declared)
	require.NoError(t, err)
	var slugs []string
	for _, e := range file.Entities {
		slugs = append(slugs, e.Slug)
	}
	require.Equal(t, slugs, entities, "each entity needs its account at the stand-in")
	sponsored, funds := map[string]bool{}, 0
	for _, o := range file.Organisations {
		sponsored[o.Slug] = o.Sponsored
		funds += len(o.Funds)
	}
	require.Equal(t, map[string]bool{"csio": true, "grassroots-international": false}, sponsored)
	require.Equal(t, 7, funds)
}

func TestEnvironHasNoOtherSettings(t *testing.T) {
	t.Setenv("STRIPE_SECRET_KEY_TSNE", "sk_live_of_the_owner")
	t.Setenv("SECRET_KEY_FILE", "/etc/secret")
	all := strings.Join(settings{"LOG_FORMAT": "text"}.environ(), "\n")
	require.NotContains(t, all, "sk_live")
	require.NotContains(t, all, "SECRET_KEY_FILE")
	require.Contains(t, all, "LOG_FORMAT=text")
	require.Contains(t, all, "PATH=")
}

func TestResetDeletesOnlyTheDemo(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"env", "konbit", "thesis.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	require.NoError(t, reset(context.Background(), config{dir: dir}, io.Discard))
	remaining, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "thesis.txt")}, remaining)

	require.NoError(t, os.Remove(remaining[0]))
	require.NoError(t, reset(context.Background(), config{dir: dir}, io.Discard))
	require.NoDirExists(t, dir)
	require.NoError(t, reset(context.Background(), config{dir: dir}, io.Discard), "a second reset changes nothing")
}
