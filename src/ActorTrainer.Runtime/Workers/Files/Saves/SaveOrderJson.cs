using System.Text.Json.Serialization;

namespace ActorTrainer.Runtime.Workers.Files.Saves;

/// <summary>The order of saves as it passes from run to run: the paths of each save that shows it.</summary>
[JsonSerializable(typeof(IReadOnlyList<IReadOnlyList<string>>), TypeInfoPropertyName = "Saves")]
internal sealed partial class SaveOrderJson : JsonSerializerContext;
