{{- define "turnstile.labels" -}}
app.kubernetes.io/name: turnstile
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "turnstile.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* The web views of the ledger's workers, each of which answers for all. */}}
{{- define "turnstile.ledgers" -}}
{{- $urls := list }}
{{- range $number := until (int .Values.workers.ledger.replicas) }}
{{- $urls = append $urls (printf "http://%s-ledger-%d.%s-ledger:%s" $.Release.Name $number $.Release.Name $.Values.workerSettings.worker_port) }}
{{- end }}
{{- join "," $urls }}
{{- end }}

{{/* The settings of all parts, then those of this one (.settings), then what .more says as it is. */}}
{{- define "turnstile.environment" -}}
{{- $settings := merge (dict) .settings .root.Values.settings (dict "worker_url" (include "turnstile.ledgers" .root)) }}
{{- if .root.Values.paper.enabled }}
{{- $settings = merge $settings (dict "paper_url" (printf "http://%s-paper:8026" .root.Release.Name)) }}
{{- end }}
{{- if and .root.Values.stripe.enabled (has "stripe" .part.reaches) }}
{{- $settings = merge (dict "payment_provider" "stripe" "stripe_page_key" .root.Values.stripe.pageKey) $settings }}
{{- end }}
{{- range $server, $authority := .root.Values.authorities }}
{{- $settings = merge $settings (dict (printf "%s_ca" $server) (printf "/etc/turnstile/%s/%s" $server $authority.key)) }}
{{- end }}
- {name: TURNSTILE_SECRETS_DIR, value: /run/secrets/turnstile}
{{- range $name, $value := $settings }}
- {name: TURNSTILE_{{ upper $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{- define "turnstile.mounts" -}}
- {name: secrets, mountPath: /run/secrets/turnstile, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- range $server, $authority := .root.Values.authorities }}
- {name: ca-{{ $server }}, mountPath: /etc/turnstile/{{ $server }}, readOnly: true}
{{- end }}
{{- end }}

{{/* A part that names no secrets mounts all of them; what reaches Paper shares its key, what reaches Stripe has ours. */}}
{{- define "turnstile.volumes" -}}
{{- $secrets := .part.secrets }}
{{- if and .root.Values.paper.enabled (has "paper" .part.reaches) }}
{{- $secrets = merge (dict "paper_key" "turnstile_paper_key") $secrets }}
{{- end }}
{{- if and .root.Values.stripe.enabled (has "stripe" .part.reaches) }}
{{- $keys := dict "stripe_key" "turnstile_stripe_key" "stripe_webhook_key" "turnstile_stripe_webhook_key" }}
{{- $secrets = merge $keys $secrets }}
{{- end }}
- name: secrets
  secret:
    secretName: {{ .root.Values.secret }}
    {{- with $secrets }}
    items:
      {{- range $key, $path := . }}
      - {key: {{ $key }}, path: {{ $path }}}
      {{- end }}
    {{- end }}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- range $server, $authority := .root.Values.authorities }}
- name: ca-{{ $server }}
  secret: {secretName: {{ $authority.secret }}, items: [{key: {{ $authority.key }}, path: {{ $authority.key }}}]}
{{- end }}
{{- end }}

{{- define "turnstile.confined" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "turnstile.security" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- end }}

{{- define "turnstile.resources" -}}
resources:
  requests: {cpu: {{ .cpu | quote }}, memory: {{ .memory }}}
  limits: {memory: {{ .memory }}}
{{- end }}

{{/* Both live and started are asked where a part answers before Kafka does; ready is what .ready names. */}}
{{- define "turnstile.probes" -}}
startupProbe: {httpGet: {path: {{ .live }}, port: http}, periodSeconds: 2, failureThreshold: 60}
livenessProbe: {httpGet: {path: {{ .live }}, port: http}, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3}
readinessProbe: {httpGet: {path: {{ .ready }}, port: http}, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2}
{{- end }}

{{/* Not two of a part on one node while there are others. */}}
{{- define "turnstile.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "turnstile.labels" . | nindent 8 }}
{{- end }}

{{- define "turnstile.budget" -}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .root.Release.Name }}-{{ .name }}
  labels:
    {{- include "turnstile.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "turnstile.labels" . | nindent 6 }}
{{- end }}
