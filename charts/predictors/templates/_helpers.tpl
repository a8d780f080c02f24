{{/* Labels of every object. None may change with the chart's version: on an InferenceService they reach the pods, and a change restarts them. */}}
{{- define "predictors.labels" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: predictors
{{- end }}

{{/* Set in the first map what the second says, at any depth. A list is replaced; null takes a value away, and leaves a map as it is. */}}
{{- define "predictors.merge" -}}
{{- $base := index . 0 }}
{{- range $key, $value := index . 1 }}
  {{- if kindIs "map" (get $base $key) }}
    {{- if kindIs "map" $value }}{{ include "predictors.merge" (list (get $base $key) $value) }}{{ end }}
  {{- else if kindIs "invalid" $value }}
    {{- $_ := unset $base $key }}
  {{- else }}
    {{- $_ := set $base $key (kindIs "map" $value | ternary (deepCopy $value) $value) }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Security context of every container, as the pod security level `restricted` demands, and a read-only root. */}}
{{- define "predictors.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
runAsNonRoot: true
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* Security context of every pod. The group makes volumes readable and writable for any user of the image. */}}
{{- define "predictors.podSecurity" -}}
runAsNonRoot: true
seccompProfile: {type: RuntimeDefault}
{{- if not (kindIs "invalid" .Values.fsGroup) }}
fsGroup: {{ toJson .Values.fsGroup }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
{{- end }}

{{/* Image of a kind: (list ROOT KIND). */}}
{{- define "predictors.image" -}}
{{- $image := (index . 0).Values.image -}}
{{ $image.registry }}/{{ index . 1 }}:{{ $image.tag | default (index . 0).Chart.AppVersion }}
{{- end }}

{{/* Name of the claim that holds the images' own models. */}}
{{- define "predictors.claim" -}}
{{ .Release.Name }}-models
{{- end }}

{{/* Directory of an image's own model on that claim: (list KIND IMAGE). One for each image, so that a new one never changes what an old one serves. */}}
{{- define "predictors.ownModel" -}}
{{ index . 0 }}-{{ index . 1 | sha256sum | trunc 8 }}
{{- end }}

{{/* Label of the pods that mount the claim, if the artifact is on it: (list ROOT STORAGE_URI). */}}
{{- define "predictors.volumeLabel" -}}
{{- $root := index . 0 }}
{{- if and $root.Values.modelVolume.create (hasPrefix (printf "pvc://%s/" (include "predictors.claim" $root)) (index . 1)) -}}
predictors.dev/model-volume: {{ $root.Release.Name | quote }}
{{- end }}
{{- end }}

{{/*
Affinity of a pod: (list ROOT AFFINITY STORAGE_URI). A ReadWriteOnce volume is on one node at a time, which the scheduler does not
know; so the pods that mount the claim stay together, unless the user says otherwise or Knative, which refuses the field.
*/}}
{{- define "predictors.affinity" -}}
{{- $root := index . 0 }}
{{- $volume := $root.Values.modelVolume }}
{{- $shared := or (has "ReadWriteMany" $volume.accessModes) (has "ReadOnlyMany" $volume.accessModes) }}
{{- $label := include "predictors.volumeLabel" (list $root (index . 2)) }}
{{- if index . 1 }}
{{- index . 1 | toYaml }}
{{- else if and $label (not $shared) (eq $root.Values.kserve.deploymentMode "Standard") -}}
podAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
  - topologyKey: kubernetes.io/hostname
    labelSelector: {matchLabels: { {{- $label -}} }}
{{- end }}
{{- end }}

{{/* A request to a kind over V1 and over V2: JSON. What an artifact of the kind sklearn takes, only its server knows. */}}
{{- define "predictors.example" -}}
{{- if eq . "iris" -}}
{"v1": {"instances": [[5.1, 3.5, 1.4, 0.2]]},
 "v2": {"inputs": [{"name": "features", "datatype": "FP64", "shape": [1, 4], "data": [5.1, 3.5, 1.4, 0.2]}]}}
{{- else if eq . "intent" -}}
{"v1": {"instances": ["where is my parcel?"]},
 "v2": {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["where is my parcel?"]}]}}
{{- else if eq . "sklearn" -}}
{"v1": {"instances": []}, "v2": {"inputs": []}}
{{- else -}}
{"v1": {"instances": ["You agree to pay 9 euros a month."], "parameters": {"max_tokens": 40}},
 "v2": {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["You agree to pay 9 euros a month."]}], "parameters": {"max_tokens": 40}}}
{{- end }}
{{- end }}
