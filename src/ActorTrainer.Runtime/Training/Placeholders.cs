namespace ActorTrainer.Runtime.Training;

/// <summary>What a trainer is told when it starts.</summary>
public sealed class TrainerContext;

/// <summary>Writes the entries of a checkpoint.</summary>
public sealed class CheckpointWriter;

/// <summary>Reads the entries of a checkpoint.</summary>
public sealed class CheckpointReader;

/// <summary>The position in the training data.</summary>
public sealed class DataCursor;

/// <summary>A random source whose state is saved.</summary>
public sealed class SeededGenerator;
