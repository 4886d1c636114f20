#!/bin/sh
# wrk.sh SALLYPORT - requests a second by wrk: straight to nginx, and through
# Sallyport's transparent listener in front of the same nginx, inspected.
#
# All on loopback, in a network and mount namespace of its own (so that the
# name site.test and the ports are nobody else's): needs root, nginx, wrk,
# openssl, iproute2. ROUNDS rounds (3), the two in turn; SECONDS_EACH (10).
set -eu
bin=$(realpath "$1")
: "${ROUNDS:=3}" "${SECONDS_EACH:=10}"

for tool in nginx wrk openssl unshare ip; do
	command -v "$tool" >/dev/null || {
		echo "bench/wrk.sh: not run: no $tool"
		exit 0
	}
done
if [ "${IN_NAMESPACE:-}" != yes ]; then
	[ "$(id -u)" = 0 ] || {
		echo "bench/wrk.sh: not run: a namespace of its own needs root"
		exit 0
	}
	exec env IN_NAMESPACE=yes ROUNDS="$ROUNDS" SECONDS_EACH="$SECONDS_EACH" \
		unshare --net --mount --fork sh "$0" "$bin"
fi

dir=$(mktemp -d)
chmod 755 "$dir"
cd "$dir"
nginx=
proxy=
clean() {
	kill $proxy $nginx 2>/dev/null || :
	wait 2>/dev/null || :
	cd /
	rm -rf "$dir"
}
trap clean EXIT

ip link set lo up
printf '127.0.0.1 localhost site.test\n' >hosts
mount --bind hosts /etc/hosts

key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
openssl req -x509 $key -keyout root.key -out root.pem -days 30 \
	-subj '/CN=Bench root' -addext basicConstraints=critical,CA:TRUE \
	-addext keyUsage=critical,keyCertSign 2>/dev/null
openssl req $key -keyout site.key -out site.csr -subj /CN=site.test 2>/dev/null
printf 'subjectAltName=DNS:site.test\nextendedKeyUsage=serverAuth\n' >ext
openssl x509 -req -in site.csr -CA root.pem -CAkey root.key -CAcreateserial \
	-days 30 -extfile ext -out site.pem 2>/dev/null
mkdir www tmp
head -c 1024 /dev/urandom >www/1k

cat >nginx.conf <<NGINX
daemon off; worker_processes auto; pid $dir/nginx.pid; user root;
error_log $dir/error.log error;
events { worker_connections 4096; }
http {
	access_log off; sendfile on; keepalive_requests 1000000000;
	client_body_temp_path tmp/a; proxy_temp_path tmp/b; fastcgi_temp_path tmp/c;
	uwsgi_temp_path tmp/d; scgi_temp_path tmp/e;
	server {
		listen 127.0.0.1:9443 ssl; server_name site.test; root $dir/www;
		ssl_certificate site.pem; ssl_certificate_key site.key;
		ssl_protocols TLSv1.2 TLSv1.3;
	}
}
NGINX
cat >sallyport.yaml <<YAML
listen: {proxy: 127.0.0.1:8080, transparent: 127.0.0.1:8443}
state: $dir/state
origin: {trust: root.pem, connect-to: "site.test:443:127.0.0.1:9443"}
log: {access: access.log}
YAML
nginx -p "$dir" -c nginx.conf >/dev/null 2>&1 &
nginx=$!
"$bin" run -c sallyport.yaml 2>/dev/null &
proxy=$!
for i in 1 2 3 4 5 6 7 8 9 10; do
	curl -sf --cacert state/root.pem -o /dev/null https://site.test:8443/1k &&
		break
	sleep 0.5
done

rate() {
	wrk -t2 -c64 -d"$SECONDS_EACH" "$1" >out.txt
	grep -q 'Non-2xx\|Socket errors' out.txt && cat out.txt >&2
	awk '/^Requests\/sec/ {print $2}' out.txt
}
round=1
while [ "$round" -le "$ROUNDS" ]; do
	direct=$(rate https://site.test:9443/1k)
	before=$(awk '{print $14 + $15}' /proc/$proxy/stat)
	through=$(rate https://site.test:8443/1k)
	after=$(awk '{print $14 + $15}' /proc/$proxy/stat)
	echo "wrk-direct-nginx $direct requests/s"
	echo "wrk-through-sallyport $through requests/s"
	awk -v t=$((after - before)) -v r="$through" -v s="$SECONDS_EACH" \
		-v hz="$(getconf CLK_TCK)" \
		'BEGIN {printf "sallyport-cpu %.1f us/request\n", t / hz / (r * s) * 1e6}'
	round=$((round + 1))
done
grep -c '"reason":"ok"' access.log | sed 's/.*/wrk-inspected-requests & requests/'
