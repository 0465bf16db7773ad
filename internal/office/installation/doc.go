// Package installation owns what the database knows of the settings that all servers share: the fingerprint of
// SECRET_KEY, and the address of the pages, BASE_URL. A server with other settings would serve, and then links, codes
// and forms of one server would fail on another, or emails would contain links that lead nowhere.
//
//	nothing recorded ── konbit migrate, or else the first server that starts ──▶ recorded
//	                                                                              │  ▲
//	                    konbit keys rotate (key), konbit migrate (address)        └──┘
//
// A process whose keys do not include the recorded one does not start (ErrKey); one that runs when another key is
// recorded goes on, and says so in its log. A server with another address serves, says so in
// its log and metrics, and sends no emails (ErrAddress).
//
// The package never sees a key, only fingerprints.
package installation
