"""nginx: TLS in and out, one fixed certificate, origin connections pooled."""
from lab import ORIGIN, write

KIND, SPEAKS, TRUST, PORT = "terminates", "tls", "peers", 3160
PROGRAM = "nginx"
VERSION = ["nginx", "-v"]
CONFIG = """daemon off; worker_processes 1; user root;
pid {run}/peer.pid; error_log {run}/peer.err error;
events {{ worker_connections 15000; }}
http {{
  access_log off; tcp_nodelay on; keepalive_timeout 600s;
  keepalive_requests 1000000000;
  client_body_temp_path {run}/p1; proxy_temp_path {run}/p2;
  fastcgi_temp_path {run}/p3; uwsgi_temp_path {run}/p4; scgi_temp_path {run}/p5;
  upstream o {{ server {origin}:{port}; keepalive 128;
    keepalive_requests 1000000000; keepalive_timeout 600s; }}
  server {{
    listen 127.0.0.1:{listen} ssl backlog=4096; ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ecdh_curve X25519:P-256; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    ssl_certificate {ca}/fixed.crt; ssl_certificate_key {ca}/fixed.key;
    location / {{
      proxy_pass https://o; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host site.test;
      proxy_ssl_server_name on; proxy_ssl_name site.test; proxy_ssl_verify on;
      proxy_ssl_trusted_certificate {trust}; proxy_ssl_protocols TLSv1.3;
      proxy_max_temp_file_size 0; proxy_buffers 16 32k; proxy_buffer_size 16k; }} }}
}}
"""


def command(lab, port):
    conf = write(lab.run + "/peer.conf", CONFIG.format(
        run=lab.run, ca=lab.ca, origin=ORIGIN, port=port, listen=PORT,
        trust=lab.origin_trust))
    return ["nginx", "-p", lab.folder, "-c", conf, "-e", lab.run + "/peer.err"]
