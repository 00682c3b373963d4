"""Memories that every exported folder has if it needs them."""

ROM = """\
// A memory that is only read; synthesis takes block RAM.
module myelin_rom #(
    parameter WIDTH = 8,
    parameter WORDS = 2,
    parameter BITS = 1,
    parameter FILE = ""
) (
    input wire clk,
    input wire [BITS-1:0] address,
    output reg [WIDTH-1:0] data
);
    reg [WIDTH-1:0] words [0:WORDS-1];
    initial $readmemh(FILE, words);
    always @(posedge clk)
        data <= words[address];
endmodule
"""
RAM = """\
// A memory; synthesis takes block RAM.
// Where a word is written while it is read, the old one is read.
module myelin_ram #(
    parameter WIDTH = 8,
    parameter WORDS = 2,
    parameter BITS = 1
) (
    input wire clk,
    input wire write,
    input wire [BITS-1:0] write_address,
    input wire [WIDTH-1:0] write_data,
    input wire [BITS-1:0] address,
    output reg [WIDTH-1:0] data
);
    reg [WIDTH-1:0] words [0:WORDS-1];
    always @(posedge clk) begin
        if (write)
            words[write_address] <= write_data;
        data <= words[address];
    end
endmodule
"""
LIBRARY = {"myelin_rom.v": ROM, "myelin_ram.v": RAM}
