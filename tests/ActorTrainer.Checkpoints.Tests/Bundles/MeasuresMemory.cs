namespace ActorTrainer.Checkpoints.Tests.Bundles;

/// <summary>Tests that measure what the whole process allocates run when all others have.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MeasuresMemory
{
    /// <summary>The collection's name.</summary>
    public const string Name = "measures memory";
}
