namespace ActorTrainer.Runtime.Api;

/// <summary>
/// What a safetensors file says of the checkpoint that it was exported from, in its <c>__metadata__</c>: so an import of it is the same
/// state again, with what is no tensor.
/// </summary>
internal static class TensorMetadata
{
    /// <summary>How tensors lie in memory; programs of the field refuse a file that does not say it.</summary>
    public const string Layout = "format";

    /// <summary>The value of <see cref="Layout"/>: row by row, as torch has them.</summary>
    public const string RowByRow = "pt";

    /// <summary>The task's id.</summary>
    public const string Task = "actortrainer.task";

    /// <summary>The checkpoint's name.</summary>
    public const string Checkpoint = "actortrainer.checkpoint";

    /// <summary>Steps done.</summary>
    public const string Step = "actortrainer.step";

    /// <summary>Epochs done, with the part of the current one.</summary>
    public const string Epoch = "actortrainer.epoch";

    /// <summary>A list in JSON: names of tensors that are entries of bytes.</summary>
    public const string Bytes = "actortrainer.bytes";

    /// <summary>Before the name of an entry whose value is JSON.</summary>
    public const string JsonPrefix = "actortrainer.json/";
}
