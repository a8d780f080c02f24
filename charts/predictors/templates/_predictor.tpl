{{/* Fields of `spec.predictor` beside the container. Both: (list ROOT NAME MODEL CANARY), where CANARY may be nil. */}}

{{- define "predictors.standard" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- $canary := index . 3 -}}
{{- with $model.predictorName -}}
name: {{ . }}
{{ end -}}
{{- with include "predictors.scaling" (list $model $canary) -}}
{{ . }}
{{ end -}}
# Longer than the server's own deadline, so that a caller gets its answer and not the gateway's.
timeout: {{ add $model.requestTimeoutSeconds 5 }}
# A new pod is ready before an old one goes.
deploymentStrategy:
  type: RollingUpdate
  rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
# Longer than draining and finishing requests take.
terminationGracePeriodSeconds: {{ $model.termination }}
securityContext:
{{- include "predictors.podSecurity" $root | nindent 2 }}
{{- include "predictors.podFields" (list $root $name $model) }}
topologySpreadConstraints:
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- topologyKey: {{ . }}
  maxSkew: 1
  whenUnsatisfiable: ScheduleAnyway
  labelSelector: {matchLabels: {serving.kserve.io/inferenceservice: {{ $name }}}}
  matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}

{{/* Number of pods, and KServe's own HPA: (list MODEL CANARY). Empty where a rollout has the HPAs. */}}
{{- define "predictors.scaling" -}}
{{- $model := index . 0 }}
{{- $canary := index . 1 }}
{{- if not $model.rollout.scales -}}
{{- if $canary -}}
# KServe takes a ready canary's pods off this minimum; with them added, the stable version keeps as many as it had.
minReplicas: {{ add $model.min $canary.replicas }}
{{- else -}}
minReplicas: {{ toJson $model.min }}
{{- end }}
{{- if eq $model.class "hpa" }}
maxReplicas: {{ add $model.max (empty $canary | ternary 0 ($canary | default dict).replicas) }}
scaleMetric: cpu
scaleTarget: {{ $model.autoscaling.cpu | default 80 }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Knative admits few fields of a pod: no termination period (it takes the request's timeout) and, by default, no security context of
the pod and no topology spread. The container's security context satisfies `restricted` alone.
*/}}
{{- define "predictors.knative" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- $canary := index . 3 -}}
minReplicas: {{ toJson $model.min }}
{{- with $model.autoscaling.maxReplicas }}
maxReplicas: {{ toJson . }}
{{- end }}
{{- with $model.autoscaling.requestsPerSecond | default $model.autoscaling.concurrency }}
scaleMetric: {{ empty $model.autoscaling.requestsPerSecond | ternary "concurrency" "rps" }}
scaleTarget: {{ ceil . | int }}
{{- end }}
{{- with $canary }}
# The newest revision, which serves the artifact below, gets this share; the revision before it gets the rest.
canaryTrafficPercent: {{ toJson .trafficPercent }}
{{- end }}
# In it are the wait for a pod, and as long a pod has to end: Knative's own drain takes 30 s of that.
timeout: {{ add $model.requestTimeoutSeconds 60 }}
{{- include "predictors.podFields" (list $root $name $model) }}
{{- end }}

{{/* Fields of the pod that both modes have: (list ROOT NAME MODEL). */}}
{{- define "predictors.podFields" }}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $model.storage.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with $model.nodeSelector }}
nodeSelector:
{{- toYaml . | nindent 2 }}
{{- end }}
{{- with $model.tolerations }}
tolerations:
{{- toYaml . | nindent 0 }}
{{- end }}
{{- with include "predictors.affinity" (list $root $model.affinity $model.storageUri) }}
affinity:
{{- . | nindent 2 }}
{{- end }}
{{- $standard := eq $root.Values.kserve.deploymentMode "Standard" }}
{{- $volumes := concat (include "predictors.accessVolumes" $model | fromJsonArray) (include "predictors.requestLogVolumes" $model | fromJsonArray) }}
{{- if or $standard $volumes }}
# Beside the runtime's own. A rollout makes the ConfigMap while it wants copies of requests; its file comes and goes in pods that
# run. It is mounted without a rollout too, so that turning one on is no other version.
volumes:
{{- if $standard }}
- name: shadow
  configMap: {name: {{ $name }}-shadow, optional: true}
{{- end }}
{{- with $volumes }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end }}
{{- end }}

{{/* The container that downloads a variant's artifact, if that is the chart's own: (list ROOT ARTIFACT). */}}
{{- define "predictors.download" -}}
{{- $root := index . 0 }}
{{- if and $root.Values.storage.initializer.create (include "predictors.isDownloaded" (index . 1).storageUri) -}}
storageContainerName: {{ include "predictors.initializer" $root }}
{{- end }}
{{- end }}

{{/* Whether KServe's storage initializer downloads a URI: true, or empty. */}}
{{- define "predictors.isDownloaded" -}}
{{- if not (regexMatch "^(pvc|oci)[a-z+]*://" .) }}true{{ end }}
{{- end }}

{{/* Name of the ClusterStorageContainer, which the cluster's other releases see too. */}}
{{- define "predictors.initializer" -}}
{{ .Release.Namespace }}-{{ .Release.Name }}-initializer
{{- end }}
