type Json = Record<string, unknown>;

/** A TensorFlow.js model.json as Keras 3 writes the same model: calls with their tensors, and other names of members. */
export function asKeras3(json: Json): Json {
  const topology = json.modelTopology as Json;
  const config = topology.config as { layers: Json[]; input_layers?: unknown[] };
  for (const layer of config.layers) {
    const own = layer.config as Json;
    if (own.batch_input_shape) {
      own.batch_shape = own.batch_input_shape;
      delete own.batch_input_shape;
    }
    layer.module = 'keras.layers';
    layer.registered_name = null;
    const nodes = (layer.inbound_nodes ?? []) as [string, number, number][][];
    layer.inbound_nodes = nodes.map((reads) => {
      const tensors = reads.map(([of, node, tensor]) => ({
        class_name: '__keras_tensor__',
        config: { shape: [null], dtype: 'float32', keras_history: [of, node, tensor] },
      }));
      return { args: tensors.length > 1 ? [tensors] : tensors, kwargs: {} };
    });
  }
  if (config.input_layers) {
    [config.input_layers] = config.input_layers as [unknown[]];
    topology.class_name = 'Functional';
  }
  return { ...json, modelTopology: { keras_version: '3.5.0', model_config: topology } };
}
