// Calls the bank's API with net/http alone: one token, used until shortly before its end.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	renewEarly = time.Minute
	tries      = 4
	waitMax    = 10 * time.Second
)

type bank struct {
	http    http.Client
	lock    sync.Mutex
	token   string
	renewAt time.Time
}

// accessToken gives a token that is good now; not `dead`, which the API has refused.
func (b *bank) accessToken(dead string) (string, error) {
	b.lock.Lock() // however many callers, one request
	defer b.lock.Unlock()
	if b.token != "" && b.token != dead && time.Now().Before(b.renewAt) {
		return b.token, nil
	}
	form := url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {os.Getenv("CLIENT_ID")},
		"client_secret": {os.Getenv("CLIENT_SECRET")},
	}
	for n := 1; ; n++ {
		answer, err := b.http.PostForm(os.Getenv("ISSUER")+"/token", form)
		if err != nil {
			return "", err
		}
		body, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
		answer.Body.Close()
		if answer.StatusCode == 200 {
			var granted struct {
				Token   string `json:"access_token"`
				Seconds int    `json:"expires_in"`
			}
			if err := json.Unmarshal(body, &granted); err != nil {
				return "", err
			}
			b.token = granted.Token
			b.renewAt = time.Now().Add(time.Duration(granted.Seconds)*time.Second - renewEarly)
			return b.token, nil
		}
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		wait := time.Duration(seconds) * time.Second
		busy := answer.StatusCode == 429 || answer.StatusCode == 503
		if !busy || n == tries || wait > waitMax {
			return "", fmt.Errorf("no token: %s %s", answer.Status, body)
		}
		time.Sleep(wait)
	}
}

func (b *bank) send(path, token string) (*http.Response, error) {
	request, err := http.NewRequest("GET", os.Getenv("BANK_API")+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	return b.http.Do(request)
}

func (b *bank) get(path string) (*http.Response, error) {
	token, err := b.accessToken("")
	if err != nil {
		return nil, err
	}
	answer, err := b.send(path, token)
	if err != nil || answer.StatusCode != 401 {
		return answer, err
	}
	answer.Body.Close() // a token can die early: once more, with a new one
	if token, err = b.accessToken(token); err != nil {
		return nil, err
	}
	return b.send(path, token)
}

func main() {
	b := bank{http: http.Client{
		Timeout: 10 * time.Second,
		// A secret and a token must follow no redirect.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for n := 0; n < 3; n++ {
		answer, err := b.get("/v1/accounts")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		answer.Body.Close()
		fmt.Println(answer.StatusCode)
	}
}
