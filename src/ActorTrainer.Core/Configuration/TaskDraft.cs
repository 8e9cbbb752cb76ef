using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Configuration;

/// <summary>A task as its file describes it.</summary>
/// <param name="Spec">The specification, validated. Its <see cref="TaskSpec.Bundle"/> is set once the folder is packed.</param>
/// <param name="Bundle">The folder whose files travel with it; null: none.</param>
public sealed record TaskDraft(TaskSpec Spec, BundleSource? Bundle);

/// <summary>A folder to be bundled.</summary>
/// <param name="Folder">Its absolute path.</param>
/// <param name="LimitBytes">How large its files may be together, in bytes.</param>
public sealed record BundleSource(string Folder, long LimitBytes = BundleSpec.DefaultLimitBytes);
