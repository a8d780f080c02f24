{{/*
The models, with every default applied and every refusal made: JSON, a map from a name to what `defaults` documents, and

  image       the image, in full
  deployment  name of the stable Deployment and Service
  canaryDeployment  of the canary's, or empty
  class       KServe's autoscaler class: hpa (its own), or external (an HPA of this chart, or of the rollout)
  min, max    number of pods
  rollout.scales  whether the rollout has the HPAs
  rollout.routes  how it splits the traffic: canary, pair or knative, where `strategy.routing` may be auto
  termination seconds between SIGTERM and SIGKILL
*/}}
{{- define "predictors.models" -}}
{{- $models := dict }}
{{- range $name, $given := .Values.models }}
  {{- $model := include "predictors.withDefaults" (list $ $name $given) | fromJson }}
  {{- include "predictors.checkModel" (list $ $name $model) }}
  {{- $_ := set $models $name $model }}
{{- end }}
{{- include "predictors.checkTogether" $models }}
{{- toJson $models }}
{{- end }}

{{/* A model with its defaults: (list ROOT NAME GIVEN). */}}
{{- define "predictors.withDefaults" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $given := index . 2 | default dict }}
{{- $kind := $given.kind | default $name }}
{{- if not (hasKey $root.Values.kinds $kind) }}
  {{- fail (printf "models.%s.kind: there is no kind %q; say which predictor it is: iris, intent, summarizer or sklearn" $name $kind) }}
{{- end }}
{{- $model := deepCopy $root.Values.defaults }}
{{- include "predictors.merge" (list $model (get $root.Values.kinds $kind)) }}
{{- include "predictors.merge" (list $model $given) }}
{{- $_ := set $model "kind" $kind }}
{{- $_ := set $model "image" ($model.image | default (include "predictors.image" (list $root $kind))) }}
{{- if and $root.Values.modelVolume.create (not $model.storageUri) (ne $kind "sklearn") }}
  {{- $_ := set $model "storageUri" (printf "pvc://%s/%s" (include "predictors.claim" $root) (include "predictors.ownModel" (list $kind $model.image))) }}
{{- end }}
{{- if kindIs "invalid" $model.graceSeconds }}
  {{- $_ := set $model "graceSeconds" $model.requestTimeoutSeconds }}
{{- end }}
{{- $_ := set $model "termination" (add $model.drainSeconds $model.graceSeconds 10) }}
{{- $_ := set $model "deployment" (printf "%s-predictor" (compact (list $name $model.predictorName) | join "-")) }}
{{- $_ := set $model "canaryDeployment" (empty $model.canary.storageUri | ternary "" (printf "%s-%s-predictor" $name $model.canary.name)) }}
{{- $_ := set $model "shadows" (eq $root.Values.kserve.deploymentMode "Standard") }}
{{- include "predictors.rolloutDefaults" (list $root $name $model) }}
{{- include "predictors.requestLogSettings" (list $root $name $model) }}
{{- $scaling := $model.autoscaling }}
{{- $_ := set $model.rollout "scales" (and $model.rollout.enabled (not (empty $scaling.maxReplicas)) (eq $root.Values.kserve.deploymentMode "Standard")) }}
{{- $_ := set $model "class" (or $scaling.requestsPerSecond $scaling.queueDepth $scaling.behavior $model.rollout.scales | empty | ternary "hpa" "external") }}
{{- $min := kindIs "invalid" $scaling.minReplicas | ternary $model.replicas $scaling.minReplicas }}
{{- $_ := set $model "min" $min }}
{{- $_ := set $model "max" ($scaling.maxReplicas | default $min) }}
{{- toJson $model }}
{{- end }}

{{/* Fill in what a rollout leaves open, in place: (list ROOT NAME MODEL). */}}
{{- define "predictors.rolloutDefaults" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- $kserve := $root.Values.kserve }}
{{- if $model.rollout.enabled }}
  {{- $strategy := $model.rollout.strategy }}
  {{- $split := semverCompare "<0.21.0-0" $kserve.version | ternary "pair" "canary" }}
  {{- $best := eq $kserve.deploymentMode "Knative" | ternary "knative" $split }}
  {{- $_ := set $strategy "routing" ($strategy.routing | default $best) }}
  {{- $_ := set $model.rollout "routes" (eq $strategy.routing "auto" | ternary $best $strategy.routing) }}
  {{- /* As the rollout names it; which revision it is does not change the length. */}}
  {{- $names := dict "pair" (printf "%s-canary-predictor" $name) "canary" (printf "%s-r00000000-predictor" $name) }}
  {{- $_ := set $model "canaryDeployment" (get $names $model.rollout.routes) }}
{{- end }}
{{- end }}

{{/*
The container of a variant, as it stands in `spec.predictor.model`: (list ROOT NAME MODEL ARTIFACT). A canary's is rendered in
full, because KServe replaces whole lists: without arguments of its own it would check the stable version's digest.
*/}}
{{- define "predictors.container" -}}
{{- $root := index . 0 }}
{{- $model := index . 2 }}
{{- $artifact := index . 3 -}}
modelFormat: {name: {{ $model.kind }}, version: "1"}
protocolVersion: v2
runtime: {{ include "predictors.runtimeName" (list $root $model) }}
storageUri: {{ $artifact.storageUri | quote }}
args:
{{- include "predictors.arguments" (list $root $model $artifact.digest) | fromJsonArray | toYaml | nindent 0 }}
{{- with include "predictors.environment" $model | fromJsonArray }}
env:
{{- toYaml . | nindent 0 }}
{{- end }}
resources:
{{- toYaml $model.resources | nindent 2 }}
{{- if $model.tls.secretName }}
# In place of the runtime's own, on the port that has no TLS: the kubelet has no certificate to show.
{{- include "predictors.probes" (list $root 8082) | nindent 0 }}
{{- end }}
{{- $standard := eq $root.Values.kserve.deploymentMode "Standard" }}
{{- $mounts := concat (include "predictors.accessMounts" $model | fromJsonArray) (include "predictors.requestLogMounts" $model | fromJsonArray) }}
{{- if or $standard $mounts }}
# Beside the runtime's own.
volumeMounts:
{{- if $standard }}
- {name: shadow, mountPath: /etc/predictors/shadow, readOnly: true}
{{- end }}
{{- with $mounts }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end }}
{{- end }}

{{/* Arguments that a model adds to its runtime's: (list ROOT MODEL DIGEST), JSON. */}}
{{- define "predictors.arguments" -}}
{{- $root := index . 0 }}
{{- $model := index . 1 }}
{{- $settings := deepCopy $model.settings }}
{{- range include "predictors.namedSettings" . | fromJsonArray }}
  {{- if not (has (get $model .) (list nil "")) }}
    {{- $_ := set $settings . (get $model .) }}
  {{- end }}
{{- end }}
{{- $settings = merge (include "predictors.accessSettings" $model | fromJson) $settings }}
{{- with index . 2 }}
  {{- $_ := set $settings "artifactDigest" . }}
{{- end }}
{{- if $model.signatureKeyConfigMap.name }}
  {{- /* As a flag too, since an empty variable is as good as none. */}}
  {{- $_ := set $settings "signatureKey" "$(PREDICTORS_SIGNATURE_KEY)" }}
{{- end }}
{{- if eq $root.Values.kserve.deploymentMode "Standard" }}
  {{- $_ := set $settings "shadowFile" "/etc/predictors/shadow/shadow.json" }}
{{- else }}
  {{- $_ := set $settings "enableGrpc" false }}
  {{- /* Knative's proxy in the pod drains before the server is told to stop. */}}
  {{- $_ := set $settings "drainSeconds" 0 }}
{{- end }}
{{- $arguments := list }}
{{- range $name, $value := $settings }}
  {{- if kindIs "slice" $value }}{{ $value = join "," $value }}{{ end }}
  {{- /* toJson: as text, Go writes four million as 4e+06 */}}
  {{- $arguments = append $arguments (printf "--%s=%s" (snakecase $name) (kindIs "string" $value | ternary $value (toJson $value))) }}
{{- end }}
{{- concat $arguments $model.args | toJson }}
{{- end }}

{{/* Settings of the server that are fields of a model. */}}
{{- define "predictors.namedSettings" -}}
{{- list "modelName" "requestTimeoutSeconds" "drainSeconds" "graceSeconds" "maxBodyBytes" "maxRows" "maxTextChars" "maxQueue" "logLevel" "signatureKey" | toJson }}
{{- end }}

{{/* Environment of a model's server, JSON. URLs that may hold passwords are here, because a list of arguments is read by more people. */}}
{{- define "predictors.environment" -}}
{{- $environment := list }}
{{- if .cacheUrl }}
  {{- $environment = append $environment (dict "name" "PREDICTORS_CACHE_URL" "value" .cacheUrl) }}
{{- else if .cacheUrlSecret.name }}
  {{- $environment = append $environment (dict "name" "PREDICTORS_CACHE_URL" "valueFrom" (dict "secretKeyRef" .cacheUrlSecret)) }}
{{- end }}
{{- if .signatureKeyConfigMap.name }}
  {{- $environment = append $environment (dict "name" "PREDICTORS_SIGNATURE_KEY" "valueFrom" (dict "configMapKeyRef" .signatureKeyConfigMap)) }}
{{- end }}
{{- with .limitsUrlSecret }}
  {{- if .name }}
    {{- $environment = append $environment (dict "name" "PREDICTORS_LIMITS_URL" "valueFrom" (dict "secretKeyRef" .)) }}
  {{- end }}
{{- end }}
{{- with .authoritiesConfigMap }}
  {{- if .name }}
    {{- /* OpenSSL's own variable, which all that the server asks over TLS goes by, but OpenTelemetry's exporter. */}}
    {{- $environment = append $environment (dict "name" "SSL_CERT_FILE" "value" (printf "/etc/predictors/authorities/%s" .key)) }}
  {{- end }}
{{- end }}
{{- concat $environment .env | toJson }}
{{- end }}
